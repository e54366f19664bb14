import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Recorded } from '../../src/activities/record-events.ts';
import { createTell } from '../../src/activities/tell.ts';
import type { EventRecord } from '../../src/domain/events.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { Telling } from '../../src/domain/telling.ts';

const app = { namespace: 'shop', name: 'cart', uid: 'u1' };
const records = [{ id: 'a' }, { id: 'b' }] as EventRecord[];
const telling: Telling = { kind: 'TargetApp', app, status: { phase: 'Monitoring' }, records };
const saying = (status: JsonObject): Telling => ({ kind: 'TargetApp', app, status, records: [] });

/** Waits by a clock that a test turns on. */
const pauseByFakeClock = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Writes that end as they are told, what was written, and what was counted. */
const writes = (
  events: (records: EventRecord[], calls: number) => Promise<Recorded> = async () => ({}),
  report: (calls: number) => Promise<void> = async () => undefined,
) => {
  const its = { statuses: [] as JsonObject[], asked: [] as string[][], reports: 0, superseded: 0 };
  const statusSuperseded = (): void => {
    its.superseded += 1;
  };
  const tell = createTell(
    {
      recordEvents: async (_, __, asked) => {
        its.asked.push(asked.map(({ id }) => id));
        return events(asked, its.asked.length);
      },
      reportStatus: async ({ status }) => {
        its.reports += 1;
        await report(its.reports);
        its.statuses.push(status);
        return { gone: false };
      },
      metrics: { statusSuperseded },
    },
    pauseByFakeClock,
  );
  const turn = new AbortController();
  return { tell: (what: Telling, afterMs?: number) => tell(what, turn.signal, afterMs), its, turn };
};

const refused = async (): Promise<never> => {
  throw new Error('refused');
};
const refusedOnce = async (_: unknown, calls: number) => (calls === 1 ? refused() : {});

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const passes = (seconds: number) => jest.advanceTimersByTimeAsync(seconds * 1_000);

describe('telling', () => {
  it('writes status and Events, and leaves nothing', async () => {
    const { tell, its } = writes();
    expect(await tell(telling).end()).toEqual({ status: { gone: false } });
    expect(its).toMatchObject({ asked: [['a', 'b']], reports: 1 });
  });

  it('waits with what was told elsewhere in all likelihood, but not beyond its turn', async () => {
    const { tell, its } = writes();
    tell(telling, 60_000);
    await passes(59);
    expect(its.reports).toBe(0);
    await passes(1);
    expect(its).toMatchObject({ asked: [['a', 'b']], reports: 1 });
    expect(await tell(telling, 60_000).end()).toEqual({ status: { gone: false } });
    expect(its.reports).toBe(2);
  });

  it('leaves that to the next replica where its turn is let go before', async () => {
    const { tell, its, turn } = writes();
    tell(telling, 60_000);
    turn.abort();
    await passes(60);
    expect(its).toMatchObject({ asked: [], reports: 0 });
  });

  it('writes only what there is', async () => {
    const { tell, its } = writes();
    expect(await tell({ kind: 'TargetApp', app, records: [] }).end()).toEqual({});
    expect(its).toMatchObject({ asked: [], reports: 0 });
  });

  it('leaves what was not taken when its turn ends, each of the two without the other', async () => {
    expect(
      await writes(async () => ({ left: [1] }))
        .tell(telling)
        .end(),
    ).toEqual({ status: { gone: false }, left: [1] });
    expect(await writes(refused).tell(telling).end()).toEqual({ status: { gone: false }, left: [0, 1] });
    expect(await writes(undefined, refused).tell(telling).end()).toEqual({});
  });

  it('goes on while its turn does, with what is left alone', async () => {
    const { tell, its } = writes(
      async (_, calls) => (calls === 1 ? { left: [1] } : {}),
      (calls) => refusedOnce(undefined, calls).then(() => undefined),
    );
    const underWay = tell(telling);
    await passes(1);
    expect(its).toMatchObject({ asked: [['a', 'b'], ['b']], reports: 2 });
    await passes(60);
    expect(its.reports).toBe(2);
    expect(await underWay.end()).toEqual({ status: { gone: false } });
  });

  it('is given up after five minutes, so that it is told in newer words', async () => {
    const { tell, its } = writes(undefined, refused);
    const underWay = tell(telling);
    await passes(290);
    expect(underWay.isGivenUp).toBe(false);
    await passes(30);
    expect(underWay.isGivenUp).toBe(true);
    const { reports } = its;
    await passes(60);
    expect(its.reports).toBe(reports);
    expect(await underWay.end()).toEqual({});
  });

  it('ends with a turn that is let go of', async () => {
    const { tell, its, turn } = writes(refused, refused);
    tell(telling);
    turn.abort();
    await passes(60);
    expect(its).toMatchObject({ asked: [['a', 'b']], reports: 1 });
  });

  it('asks an API server no more for a while that was too slow, but for other namespaces', async () => {
    const slow = () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), 1_700));
    jest.useRealTimers();
    const { tell, its } = writes(slow, slow);
    expect(await tell(telling).end()).toEqual({ left: [0, 1] });
    expect(await tell(telling).end()).toEqual({ left: [0, 1] });
    expect(its).toMatchObject({ asked: [['a', 'b']], reports: 1 });
    // It may be one namespace's admission webhook that is slow.
    await tell({ ...telling, app: { ...app, namespace: 'bank' } }).end();
    expect(its).toMatchObject({
      asked: [
        ['a', 'b'],
        ['a', 'b'],
      ],
      reports: 2,
    });
  });
});

describe('the statuses of an app that says something else at every poll', () => {
  it('are written at once for a while, then one every five seconds, and the last one always', async () => {
    const { tell, its } = writes();
    let underWay = tell(saying({ turn: 0 }));
    for (let turn = 1; turn <= 120; turn += 1) {
      await passes(1);
      await underWay.end();
      underWay = tell(saying({ turn }));
    }
    // Those of a burst, and the room that came meanwhile.
    expect(its.statuses.length).toBeGreaterThan(40);
    expect(its.statuses.length).toBeLessThan(50);
    await passes(5);
    expect(its.statuses.at(-1)).toEqual({ turn: 120 });
    expect(await underWay.end()).toEqual({ status: { gone: false } });
    expect(its.superseded).toBe(121 - its.statuses.length);
  });

  it('delay neither its Events nor what another app says', async () => {
    const { tell, its } = writes();
    for (let turn = 0; turn < 30; turn += 1) await tell(saying({ turn })).end();
    const before = its.reports;
    await tell(telling).end();
    await tell({ ...telling, app: { ...app, uid: 'u2' } }).end();
    expect(its).toMatchObject({
      asked: [
        ['a', 'b'],
        ['a', 'b'],
      ],
      reports: before + 1,
    });
  });

  it('do not wait when they answer an edit', async () => {
    const { tell, its } = writes();
    for (let turn = 0; turn < 30; turn += 1) await tell(saying({ turn, observedGeneration: 1 })).end();
    await tell(saying({ turn: 30, observedGeneration: 2 })).end();
    expect(its.statuses.at(-1)).toEqual({ turn: 30, observedGeneration: 2 });
  });
});
