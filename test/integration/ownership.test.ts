import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorProcess } from '../support/operator-under-test.ts';
import { startStopwatch } from '../support/pace.ts';
import { type PollTimesLedger, pollTimes } from '../support/poll-times.ts';
import { type RealWorld, startWorld } from '../support/real-world.ts';
import { settledShares } from '../support/turn-shares.ts';
import { until } from '../support/until.ts';

const apps = Array.from({ length: 60 }, (_, index) => `shared-${index}`);
const intervalMs = 1_000;
/** A replica that is gone is missed for ten seconds, and its turns take some more to come to their owners. */
const handOverMs = 20_000;
/** What a replica lets go of comes to another one before its next poll, or a moment later where that is due each second. */
const letGoMs = 1_000;

let world: RealWorld;
let ledger: PollTimesLedger;
const replicas: OperatorProcess[] = [];

const startOne = async (): Promise<OperatorProcess> => {
  const started = await world.spawnOperator({ POD_NAME: `replica-${replicas.length}` });
  replicas.push(started);
  await started.ready();
  return started;
};

const shares = (all: OperatorProcess[]): Promise<number[]> => settledShares(all, apps.length);

/** Ends a replica and waits until the others hold all; what the apps saw meanwhile, as on a machine with nothing else on it. */
async function without(one: OperatorProcess, signal: NodeJS.Signals, others: OperatorProcess[]) {
  const [watch, from] = [startStopwatch(), Date.now()];
  await one.end(signal);
  if (signal === 'SIGKILL') await delay(handOverMs);
  const counts = await shares(others);
  const strain = (Date.now() - from) / watch.stop();
  const { longestGapMs, doubled } = ledger.since(from);
  return { counts, doubled, gapMs: longestGapMs / strain, lines: one.lines };
}

beforeAll(async () => {
  world = await startWorld();
  const pods = await Promise.all(apps.map((name) => world.runApp(name)));
  await startOne();
  await Promise.all(apps.map((name) => world.monitor(name)));
  const addresses = pods.map(([pod]) => pod?.status?.podIP ?? '');
  ledger = pollTimes(world.app, addresses, intervalMs);
}, 900_000);
afterAll(() => world?.stop());

describe('sixty TargetApps that are polled every second', () => {
  it.each([2, 3])(
    'are shared by %d replicas, from when the last one joins without a gap; then none is polled twice',
    async (count) => {
      const [watch, from] = [startStopwatch(), Date.now()];
      const joined = await startOne();
      const counts = await shares(replicas);
      const strain = (Date.now() - from) / watch.stop();
      const moving = ledger.since(from);
      expect(counts.every((turns) => turns > apps.length / count / 3)).toBe(true);
      expect(joined.pid).toBeGreaterThan(0);
      expect(moving.longestGapMs / strain).toBeLessThanOrEqual(intervalMs + letGoMs);
      // Where the machine has no room turns move for longer.
      const steady = await until('a time in which none is polled twice', async () => {
        const settledAt = Date.now();
        await delay(8 * intervalMs);
        const seen = ledger.since(settledAt);
        // One that is late may come soon before the next: what is polled by two is polled twice as often.
        return seen.mostPolls <= 10 && seen;
      });
      expect(steady.polls).toBeGreaterThanOrEqual(6 * apps.length);
      console.log(`${count} replicas`, { counts, moving, steady });
    },
  );

  it('go to the others when a replica is ended by SIGTERM, within a second or so', async () => {
    const [first, second, third] = replicas as [OperatorProcess, OperatorProcess, OperatorProcess];
    const { lines, ...found } = await without(third, 'SIGTERM', [first, second]);
    console.log('SIGTERM', found);
    expect(lines.filter((line) => line.includes('shutdown step failed'))).toEqual([]);
    expect(found.gapMs).toBeLessThanOrEqual(intervalMs + letGoMs);
  });

  it('go to the others when a replica is ended by SIGKILL, within a hand-over', async () => {
    const [first, second] = replicas as [OperatorProcess, OperatorProcess];
    const { lines: _, ...found } = await without(second, 'SIGKILL', [first]);
    console.log('SIGKILL', found);
    expect(found.gapMs).toBeLessThanOrEqual(intervalMs + handOverMs);
  });

  it('go to a new replica when the only other one is ended by SIGTERM as soon as the new one is ready', async () => {
    const [first] = replicas as [OperatorProcess];
    const next = await startOne();
    const { lines: _, ...found } = await without(first, 'SIGTERM', [next]);
    console.log('upgrade', found);
    expect(found.gapMs).toBeLessThanOrEqual(intervalMs + letGoMs);
  });
});
