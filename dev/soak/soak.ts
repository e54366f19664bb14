import { setTimeout as sleep } from 'node:timers/promises';
import { type Loop, startLoop } from '../../src/lifecycle/loop.ts';
import { type RealWorld, startWorld } from '../../test/support/real-world.ts';
import { until } from '../../test/support/until.ts';
import { EditLedger } from './edit-ledger.ts';
import { Fleet } from './fleet.ts';
import { FlipLedger } from './flip-ledger.ts';
import { Growth } from './growth.ts';
import { Histories } from './histories.ts';
import { Kills } from './kills.ts';
import { observe } from './observer.ts';
import { Outages } from './outages.ts';
import { PollLedger } from './poll-ledger.ts';
import type { Promises } from './promises.ts';
import type { Found } from './report.ts';
import { Room } from './room.ts';
import { etcdMib, rssMib, temporalDatabaseMib } from './sizes.ts';

/** How long, and how hard. Milliseconds. */
export interface SoakOptions {
  apps: number;
  promises: Promises;
  durationMs: number;
  /** Means: between two flips of one app, two edits, two apps that go, two kills. */
  flipEveryMs: number;
  editEveryMs: number;
  churnEveryMs: number;
  killEveryMs: number;
  /** Told once a minute, and what happens in between. */
  onMinute(found: Found): void;
  onProgress(line: string): void;
}

const minuteMs = 60_000;
const sampleMs = 5_000;
/** A process that has just begun loads code and fills caches. */
const warmUpMs = 3 * minuteMs;
const podsPerNode = 100;
const settings = { KCO_LOG_LEVEL: 'INFO' };

/** What a soak is made of. */
interface Soak {
  options: SoakOptions;
  world: RealWorld;
  fleet: Fleet;
  kills: Kills;
  polls: PollLedger;
  flips: FlipLedger;
  edits: EditLedger;
  histories: Histories;
  room: Room;
  growth: Found['growth'];
  startedAt: number;
}

const found = (soak: Soak, workflowsLeft = 0): Found => ({
  apps: soak.options.apps,
  ranMs: Date.now() - soak.startedAt,
  polls: soak.polls.tally(),
  flips: soak.flips.tally(),
  complaints: soak.flips.complaints(),
  edits: soak.edits.tally(),
  machine: soak.room.tally(),
  created: soak.fleet.created,
  deleted: soak.fleet.deleted.length,
  workflowsLeft,
  kills: soak.kills.counts,
  growth: soak.growth,
  longestHistory: soak.histories.longest,
  eventsAdded: soak.histories.added,
});

/** Measures sizes every few seconds. */
const sampling = ({ world: { servers }, kills, growth }: Soak): Loop =>
  startLoop(async () => {
    const add = (of: Growth, pid: number | undefined): void => {
      const mib = pid === undefined ? 0 : rssMib(pid);
      if (pid !== undefined && mib > 0) of.add(pid, mib);
    };
    add(growth.operator, kills.operator?.pid);
    add(growth.temporal, servers.pids().temporal);
    growth.temporalDatabase.add(0, temporalDatabaseMib(servers));
    growth.etcd.add(0, etcdMib(servers));
    return sampleMs;
  });

const everyMinute = (soak: Soak): Loop =>
  startLoop(async () => {
    // While Temporal is away there is nothing to look at.
    await soak.histories.look(soak.fleet.workflowIds).catch(() => undefined);
    soak.options.onMinute(found(soak));
    return minuteMs;
  });

/** Does it at random times, about so far apart. What is refused because a server is away is left out. */
const atTimes = (everyMs: number, act: (signal: AbortSignal) => Promise<unknown>): Loop => {
  let isFirst = true;
  return startLoop(async (signal) => {
    if (!isFirst) await act(signal).catch(() => undefined);
    isFirst = false;
    return everyMs * (0.5 + Math.random());
  });
};

/** What is done to the apps and the servers; the youngest is ended first. */
function disturb(soak: Soak): Loop[] {
  const { fleet, kills, options } = soak;
  return [
    startLoop(async () => {
      fleet.flip();
      return 100;
    }),
    atTimes(options.editEveryMs, () => fleet.editOne()),
    atTimes(options.churnEveryMs, (signal) => fleet.replaceOne(signal)),
    atTimes(options.killEveryMs, () =>
      kills.one().then(
        (what) => options.onProgress(`killed ${what}; it is back`),
        (error) => options.onProgress(String(error)),
      ),
    ),
  ];
}

/** Waits until all that is due was seen, or is lost; how many workflows of deleted TargetApps still run then. */
async function settle({ fleet, edits, histories, options: { promises } }: Soak): Promise<number> {
  await until('the last flips are seen or lost', () => fleet.isSettled, {
    timeoutMs: promises.lostAfterMs + 4 * promises.recoveryMs,
  });
  const isOver = async (): Promise<boolean> =>
    edits.tally().taken === edits.tally().edits && (await histories.running(fleet.deleted)).length === 0;
  // What is not over by then is in what was found.
  await until('edits are taken and workflows ended', isOver, { timeoutMs: promises.recoveryMs }).catch(() => undefined);
  await histories.look(fleet.workflowIds);
  return (await histories.running(fleet.deleted)).length;
}

function soakOf(options: SoakOptions, world: RealWorld): Soak {
  const { promises } = options;
  const outages = new Outages();
  const room = new Room();
  const [polls, flips, edits] = [
    new PollLedger(promises, outages, room.crowds),
    new FlipLedger(promises, outages),
    new EditLedger(),
  ];
  const grown = () => new Growth(warmUpMs);
  return {
    ...{ options, world, polls, flips, edits, room, startedAt: Date.now() },
    fleet: new Fleet({ world, polls, flips, edits, flipEveryMs: options.flipEveryMs }),
    kills: new Kills(world, outages, settings),
    histories: new Histories(world.temporal),
    growth: { operator: grown(), temporal: grown(), temporalDatabase: grown(), etcd: grown() },
  };
}

/** Runs for a while and says what was found. Servers and operator are its own, and end with it. */
export async function runSoak(options: SoakOptions): Promise<Found> {
  const world = await startWorld({}, { nodes: Math.ceil((options.apps + 10) / podsPerNode) });
  try {
    const soak = soakOf(options, world);
    const observing = observe(world, soak.flips, soak.edits);
    await soak.kills.startOperator();
    await soak.fleet.grow(options.apps);
    options.onProgress(`${options.apps} TargetApps are monitored`);
    soak.startedAt = Date.now();
    const minutes = everyMinute(soak);
    const disturbing = disturb(soak);
    const measuring = sampling(soak);
    const looking = soak.room.look();
    await sleep(options.durationMs);
    for (const loop of disturbing.toReversed()) await loop.stop();
    const left = await settle(soak);
    for (const loop of [minutes, measuring, looking, observing]) await loop.stop();
    return found(soak, left);
  } finally {
    await world.stop();
  }
}
