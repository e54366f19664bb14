import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesOf, isUneventful, median, pollsIn } from '../support/polls-in-history.ts';
import { type RealWorld, startWorld } from '../support/real-world.ts';
import type { RecordedApp } from '../support/recorder.ts';
import { until } from '../support/until.ts';
import { createWrites, total } from '../support/writes.ts';

// Where each poll is a row in the history.

const heartbeatMs = 15_000;
let world: RealWorld;
let writes: () => Promise<Record<string, number>>;

beforeAll(async () => {
  world = await startWorld({ KCO_POLLS_PER_TURN: '1' });
  writes = createWrites(world.servers);
  await world.operate({ KCO_STATUS_HEARTBEAT: String(heartbeatMs / 1000) });
}, 900_000);

afterAll(() => world?.stop());

/** Reports of a TargetApp, in the order in which the API server told them. */
const reportsOf = (name: string): RecordedApp[] =>
  world.recorder.apps
    .filter(({ type, object }) => type === 'modified' && object.metadata.name === name)
    .map(({ object }) => object);

/** When the API server took a report: epoch milliseconds, of which it keeps whole seconds. */
const takenAt = ({ metadata }: RecordedApp): number =>
  Math.max(
    ...(metadata.managedFields ?? [])
      .filter(({ subresource }) => subresource === 'status')
      .map(({ time }) => Date.parse(time)),
  );

/** Milliseconds between one report and the next. */
const gapsOf = (reports: RecordedApp[]): number[] =>
  reports.slice(1).map((report, i) => takenAt(report) - takenAt(reports[i] as RecordedApp));

/** Whether a report has come a heartbeat after the one before it: then nothing else is left to report. */
const isQuiet = (name: string): boolean => (gapsOf(reportsOf(name)).at(-1) ?? 0) >= heartbeatMs - 1_000;

describe('between two heartbeats', () => {
  it('a quiet TargetApp writes nothing to the API server and its status once per heartbeat', async () => {
    const names = ['quiet-1', 'quiet-2', 'quiet-3', 'quiet-4', 'quiet-5'];
    const pods = await Promise.all(names.map((name) => world.runApp(name)));
    await Promise.all(names.map((name) => world.monitor(name)));
    await until('each has had a heartbeat', () => names.every(isQuiet), {
      timeoutMs: 120_000,
      instead: () => names.map((name) => gapsOf(reportsOf(name))),
    });

    const polls = () => pods.map(([pod]) => world.app.requests(pod?.status?.podIP));
    const polledMore = async (times: number) => {
      const before = polls();
      await until(`each was polled ${times} times more`, () =>
        polls().every((now, i) => now >= (before[i] ?? 0) + times),
      );
    };
    const reports = () => names.map((name) => reportsOf(name).length);
    /** What was written and reported so far, at a moment when neither is under way: a request is counted once it is answered. */
    const settled = () =>
      until('nothing is written while each is polled once more', async () => {
        const [reported, written] = [reports(), await writes()];
        await polledMore(1);
        const isSettled = isDeepStrictEqual([reports(), await writes()], [reported, written]);
        return isSettled && { reported, written };
      });

    const before = await settled();
    const since = (counts: number[]) => counts.map((count, i) => count - (before.reported[i] ?? 0));
    await Promise.all([
      polledMore(10),
      until('each has had another heartbeat', () => since(reports()).every((count) => count > 0)),
    ]);
    const after = await settled();
    const more = Object.entries(after.written).filter(([what, count]) => count !== before.written[what]);
    expect(more).toEqual([[expect.stringMatching(/resource="targetapps".*subresource="status"/), expect.any(Number)]]);
    expect(total(after.written) - total(before.written)).toBe(
      since(after.reported).reduce((sum, count) => sum + count),
    );
    for (const [i, name] of names.entries()) {
      const gaps = gapsOf(reportsOf(name).slice((before.reported[i] ?? 0) - 1));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(heartbeatMs - 1_000);
      expect(world.events(name).map(({ reason }) => reason)).toEqual(['MonitoringStarted']);
    }
  });
});

describe('what is written down', () => {
  it.concurrent.each([
    [3, 1_536],
    [13, 1_536 + 10 * 100],
  ])('an unchanged poll of %i pods adds at most %i bytes to the history', async (replicas, limit) => {
    const name = `history-${replicas}`;
    await world.runApp(name, replicas);
    const app = await world.monitor(name);
    // The first ones carry the plan, the states and the first report.
    const unchanged = await until('there are five of them', async () => {
      const polls = pollsIn(await world.historyEvents(app))
        .slice(2)
        .filter(isUneventful);
      return polls.length >= 5 && polls;
    });
    expect(median(unchanged.map(bytesOf))).toBeLessThanOrEqual(limit);
  });
});
