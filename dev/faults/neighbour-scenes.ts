import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../sample-app/fault.ts';
import type { Change } from './effects.ts';
import { type Figure, seconds } from './figures.ts';
import type { Member } from './fleet.ts';
import type { Stage } from './stage.ts';

/** How long polls are watched. */
const watchMs = 60_000;
/** What polls and actions may be late because of others. */
const lateMs = 1_000;
const growsPercent = 20;
/** Webhooks that nobody answers. */
const silent = 110;

const faults: Fault[] = [{ kind: 'hang' }, { kind: 'drip', everyMs: 200 }, { kind: 'flood', bytes: 16 * 1024 * 1024 }];

/** How late polls are, and actions, from the poll that saw why. */
interface Lateness {
  p99OffMs: number;
  longestGapMs: number;
  actionsMs: { p50: number; longest: number };
}

function actionsOf({ polls, effects }: Stage): Lateness['actionsMs'] {
  const tookMs = (change: Change): number =>
    (effects.calledAt(change) ?? Date.now()) - (polls.firstFrom(change.at, change.address) ?? Date.now());
  const sorted = effects.changes.map(tookMs).sort((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length / 2)] ?? 0, longest: sorted.at(-1) ?? 0 };
}

/** Watches these apps while some of them change. */
async function watch(stage: Stage, members: readonly Member[]): Promise<Lateness & { figures: Figure[] }> {
  let seen = { p99OffMs: 0, longestGapMs: 0 };
  const figures = await stage.whileChanging(members, async () => {
    const from = Date.now();
    await delay(watchMs);
    seen = stage.polls.since(
      from,
      members.map(({ address }) => address),
    );
    return [];
  });
  return { ...seen, actionsMs: actionsOf(stage), figures };
}

/** Half of the apps hang, drip or flood. */
export async function sick(stage: Stage): Promise<Figure[]> {
  const { fleet, world } = stage;
  const half = Math.floor(fleet.members.length / 2);
  const [well, ill] = [fleet.members.slice(0, half), fleet.members.slice(half)];
  const before = await watch(stage, well);
  for (const [n, { address }] of ill.entries()) world.app.fault(address, faults[n % faults.length]);
  const meanwhile = await watch(stage, well);
  for (const { address } of ill) world.app.fault(address, undefined);
  await stage.intervals(4);
  const growth = (meanwhile.p99OffMs / Math.max(1, before.p99OffMs) - 1) * 100;
  return [
    { what: 'p99 of |gap - interval|, all well', value: before.p99OffMs, unit: 'ms' },
    { what: '… of the healthy half, the other one ill', value: meanwhile.p99OffMs, unit: 'ms' },
    { what: '… grows by', value: growth, unit: '%', limit: growsPercent },
    seconds('longest gap of the healthy half', meanwhile.longestGapMs, stage.intervalMs + lateMs),
    seconds('poll to webhook, p50, all well', before.actionsMs.p50),
    seconds('… the other half ill', meanwhile.actionsMs.p50),
    seconds('poll to webhook, longest, all well', before.actionsMs.longest),
    seconds('… the other half ill', meanwhile.actionsMs.longest, before.actionsMs.longest + lateMs),
    ...meanwhile.figures,
  ];
}

/** A receiver of webhooks accepts and never answers. */
export async function silence(stage: Stage): Promise<Figure[]> {
  const { effects, fleet, world, polls, intervalMs } = stage;
  const calling = fleet.members.slice(0, silent);
  const releases = calling.map(({ name }) => world.receiver.hold(`/${name}`));
  effects.begin();
  const from = Date.now();
  for (const member of calling) fleet.change(member);
  await delay(watchMs / 2);
  const { longestGapMs } = polls.since(from);
  const open = new Set(
    world.receiver
      .deliveries()
      .filter(({ at }) => at >= from)
      .map(({ path }) => path),
  ).size;
  for (const release of releases) release();
  return [
    seconds(`longest gap of any app, ${calling.length} webhooks unanswered`, longestGapMs, intervalMs + lateMs),
    { what: 'receivers that were called by then', value: open },
    ...(await stage.told()),
  ];
}
