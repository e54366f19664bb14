import type { EditTally } from './edit-ledger.ts';
import type { FlipTally } from './flip-ledger.ts';
import type { Growth } from './growth.ts';
import type { PollTally } from './poll-ledger.ts';

/** What a soak has found so far. */
export interface Found {
  apps: number;
  ranMs: number;
  polls: PollTally;
  flips: FlipTally;
  edits: EditTally;
  /** How long the machine had no room, in milliseconds, and how many times slower than alone this process was at worst. */
  machine: { crowdedMs: number; slowest: number };
  /** TargetApps, and how many workflows of deleted ones still run. */
  created: number;
  deleted: number;
  workflowsLeft: number;
  /** By what was killed, and how. */
  kills: ReadonlyMap<string, number>;
  growth: { operator: Growth; temporal: Growth; temporalDatabase: Growth; etcd: Growth };
  /** Events of the longest run. */
  longestHistory: number;
  /** Flips that were lost or doubled, a line each. */
  complaints: string[];
  /** Events that came to the histories. */
  eventsAdded: number;
}

/**
 * What may not be exceeded.
 * RSS: a cached workflow keeps its history in memory, the SDK's native half too, until its run hands on: measured 18 KiB for a flip,
 * and 27 on a machine with too much to do. What grew with the polls as well would exceed that soon, since there are thirty of them
 * for a flip. Temporal fills its caches.
 * Events: a flip with its call is about 13; a poll that left a row would be as many as there are polls.
 */
const limits = { operatorKibPerFlip: 40, temporalKibPerFlip: 27, longestHistory: 4_096, eventsPerFlip: 25 };

/** Growth for each flip, in KiB; undefined where the growth cannot be said. */
function kibPerFlip({ perHour }: Growth, { flips, ranMs }: Found): number | undefined {
  const flipsPerHour = (flips.flips / ranMs) * 3_600_000;
  return perHour === undefined ? undefined : (perHour * 1_024) / Math.max(1, flipsPerHour);
}

/** What was lost, doubled or exceeded; empty when all is as promised. */
export function broken(found: Found): string[] {
  const { polls, flips, edits, ...rest } = found;
  const operator = kibPerFlip(rest.growth.operator, found);
  const temporal = kibPerFlip(rest.growth.temporal, found);
  const eventsPerFlip = rest.eventsAdded / Math.max(1, flips.flips);
  const checks: [boolean, string][] = [
    [polls.missed > 0, `${polls.missed} gaps between polls were longer than an interval and a hand-over`],
    [flips.missed > 0, `${flips.missed} flips have no Event`],
    [flips.doubled > 0, `${flips.doubled} flips have more than one Event`],
    [flips.calls.lost > 0, `${flips.calls.lost} webhooks were lost`],
    [flips.calls.doubled > 0, `${flips.calls.doubled} webhooks were called under other ids again`],
    [edits.taken < edits.edits, `${edits.edits - edits.taken} edits were not taken`],
    [rest.workflowsLeft > 0, `${rest.workflowsLeft} workflows of deleted TargetApps still run`],
    [(operator ?? 0) > limits.operatorKibPerFlip, `the operator grows by ${shown(operator)} KiB with each flip`],
    [(temporal ?? 0) > limits.temporalKibPerFlip, `Temporal grows by ${shown(temporal)} KiB with each flip`],
    [rest.longestHistory > limits.longestHistory, `a history has ${rest.longestHistory} events`],
    [eventsPerFlip > limits.eventsPerFlip, `a flip makes ${shown(eventsPerFlip)} events`],
  ];
  return checks.filter(([isBroken]) => isBroken).map(([, what]) => what);
}

const shown = (value: number | undefined, digits = 1): string => value?.toFixed(digits) ?? 'too short to say';
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** One line for every minute. */
export const line = ({ ranMs, polls, flips, edits, growth, kills, machine }: Found): string =>
  [
    `${String(Math.round(ranMs / 60_000)).padStart(3)} min`,
    `${polls.polls} polls, ${polls.missed} missed`,
    `${flips.flips} flips, ${flips.late} late, ${flips.missed} missed, ${flips.doubled} doubled`,
    `${flips.calls.made} webhooks, ${flips.calls.lost} lost, ${flips.calls.doubled} doubled`,
    `${edits.taken} of ${edits.edits} edits`,
    `${[...kills.values()].reduce((sum, count) => sum + count, 0)} kills`,
    ...(machine.crowdedMs > 0 ? [`no room for ${seconds(machine.crowdedMs)}`] : []),
    `operator ${shown(growth.operator.last, 0)} MiB, Temporal ${shown(growth.temporal.last, 0)} MiB`,
  ].join('; ');

const grown = (growth: Growth): string =>
  `first ${shown(growth.first)}, most ${shown(growth.most)}, last ${shown(growth.last)}; per hour ${shown(growth.perHour)}`;

/** All of it, a line each. */
export function table(found: Found): string {
  const { polls, flips, edits, growth, machine, ...rest } = found;
  const { calls } = flips;
  const rows: [string, string][] = [
    ['load', `${rest.apps} TargetApps every second for ${seconds(rest.ranMs)}`],
    ['machine without room / slowest', `${seconds(machine.crowdedMs)} / ${shown(machine.slowest)} times`],
    ['polls', `${polls.polls}`],
    ['polls missed (gap > interval + hand-over)', `${polls.missed}`],
    ['longest gap, nothing away / of all', `${seconds(polls.longestCalmMs)} / ${seconds(polls.longestMs)}`],
    [
      'flips / with Event / late / missed / doubled',
      [flips.flips, flips.told, flips.late, flips.missed, flips.doubled].join(' / '),
    ],
    [
      'flip to Event, nothing away, p50 / p99',
      `${seconds(flips.seenWithinMs.p50)} / ${seconds(flips.seenWithinMs.p99)}`,
    ],
    ['webhooks due / made / lost / doubled', [calls.due, calls.made, calls.lost, calls.doubled].join(' / ')],
    ['edits / taken', `${edits.edits} / ${edits.taken}`],
    ['edit to status, p50 / longest', `${seconds(edits.takenWithinMs.p50)} / ${seconds(edits.takenWithinMs.longest)}`],
    ['created / deleted / workflows left', [rest.created, rest.deleted, rest.workflowsLeft].join(' / ')],
    ['kills', [...rest.kills].map(([what, count]) => `${count} x ${what}`).join(', ') || 'none'],
    ['RSS of the operator, MiB', grown(growth.operator)],
    ['RSS of Temporal, MiB', grown(growth.temporal)],
    [
      'RSS for each flip, operator / Temporal, KiB',
      `${shown(kibPerFlip(growth.operator, found))} / ${shown(kibPerFlip(growth.temporal, found))}`,
    ],
    ['database of Temporal, MiB', grown(growth.temporalDatabase)],
    ['files of etcd, MiB', grown(growth.etcd)],
    ['longest history, events', `${rest.longestHistory}`],
    ['events per TargetApp and hour', shown((rest.eventsAdded / rest.apps / rest.ranMs) * 3_600_000)],
    ['events per flip', shown(rest.eventsAdded / Math.max(1, flips.flips))],
  ];
  return rows.map(([name, value]) => `${name.padEnd(42)} ${value}`).join('\n');
}
