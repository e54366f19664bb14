import { setTimeout as delay } from 'node:timers/promises';
import { type Figure, seconds } from './figures.ts';
import type { Replica, Stage } from './stage.ts';

/** Each app is polled again by then, and by nobody else any more. */
const againWithinMs = 20_000;
/** What a poll may be late when its replica leaves. */
const lateMs = 1_000;
const standsStillMs = 60_000;
/** Intervals in which turns come to their new owners, as far as a poll is late by that. */
const movedWithin = 5;

/** Lets a second replica take its share, and afterwards all when the first one has left. */
async function withTwo(stage: Stage, act: (leaving: Replica) => Promise<Figure[]>): Promise<Figure[]> {
  const leaving = stage.replica;
  await stage.shared(leaving, await stage.start());
  return stage.whileChanging(stage.fleet.members, () => act(leaving));
}

/** Gaps while turns move. */
async function gap(stage: Stage, from: number): Promise<Figure[]> {
  await stage.intervals(movedWithin);
  const { longestGapMs } = stage.polls.since(from);
  return [seconds('longest gap between two polls', longestGapMs, stage.intervalMs + lateMs)];
}

/** How soon all are polled again, and whether some are polled twice after that. */
async function again(stage: Stage, from: number): Promise<Figure[]> {
  await delay(from + againWithinMs - Date.now());
  await stage.intervals(3);
  const { longestWaitMs } = stage.polls.since(from);
  const { doubled } = stage.polls.since(from + againWithinMs);
  return [
    seconds('until each app was polled again', longestWaitMs, againWithinMs),
    { what: 'polls within half an interval of the one before, 20 s later', value: doubled, limit: 0 },
  ];
}

/** One of two replicas gets SIGTERM. */
export const terminate = (stage: Stage): Promise<Figure[]> =>
  withTwo(stage, async (leaving) => {
    const from = Date.now();
    await leaving.end('SIGTERM');
    return gap(stage, from);
  });

/** A new replica gets ready, and the old one SIGTERM. */
export const upgrade = (stage: Stage): Promise<Figure[]> =>
  stage.whileChanging(stage.fleet.members, async () => {
    const [from, old] = [Date.now(), stage.replica];
    await stage.start();
    await old.end('SIGTERM');
    return gap(stage, from);
  });

/** One of two replicas gets SIGKILL. */
export const kill = (stage: Stage): Promise<Figure[]> =>
  withTwo(stage, async (leaving) => {
    const from = Date.now();
    await leaving.end('SIGKILL');
    return again(stage, from);
  });

/** The only replica gets SIGKILL, and another pod starts, or the container of the same one again. */
export const killAlone =
  (which: 'another pod' | 'the same pod') =>
  (stage: Stage): Promise<Figure[]> =>
    stage.whileChanging(stage.fleet.members, async () => {
      const killed = stage.replica;
      await killed.end('SIGKILL');
      const from = Date.now();
      await stage.start(which === 'the same pod' ? killed.pod : undefined);
      return again(stage, from);
    });

/** One of two replicas stands still for a minute. */
export const stop = (stage: Stage): Promise<Figure[]> =>
  withTwo(stage, async (leaving) => {
    const from = Date.now();
    leaving.send('SIGSTOP');
    await delay(standsStillMs);
    const { longestWaitMs } = stage.polls.since(from);
    leaving.send('SIGCONT');
    const found = await again(stage, Date.now());
    await leaving.end('SIGTERM');
    return [seconds('until the other one polled all', longestWaitMs), ...found];
  });

/** The only replica stands still for a minute. */
export const stopAlone = (stage: Stage): Promise<Figure[]> =>
  stage.whileChanging(stage.fleet.members, async () => {
    stage.replica.send('SIGSTOP');
    await delay(standsStillMs);
    stage.replica.send('SIGCONT');
    return again(stage, Date.now());
  });
