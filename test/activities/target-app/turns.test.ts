import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { HeldTurns } from '../../../src/activities/held-turns.ts';
import { DuePolls } from '../../../src/activities/target-app/due-polls.ts';
import { createTurns, type Turns } from '../../../src/activities/target-app/turns.ts';
import { Wheel } from '../../../src/activities/target-app/wheel.ts';
import { failureOf } from '../../../src/domain/failure.ts';
import type { Observation, ObserveInput } from '../../../src/domain/target-app/observation.ts';
import type { Told } from '../../../src/domain/telling.ts';
import { planned, spec } from '../../support/target-app-manifest.ts';
import { until } from '../../support/until.ts';

/** A process that is asked to hold turns, each of a TargetApp by its uid. */
interface Bench {
  turns: Turns;
  /** Uids of which it is the owner. */
  owned: Set<string>;
  takesPart: boolean;
  /** Uids that were polled, and whose turns were let go, in order. */
  polled: string[];
  released: string[];
  hold(uid: string, isHandedOver?: boolean, input?: Partial<ObserveInput>): void;
  due: DuePolls;
  /** Uids of apps that have changed before their workflow was there. */
  changed: Set<string>;
  /** Polls are not answered until it resolves. */
  answered?: Promise<void>;
  /** What a poll finds. */
  seen: Observation;
  told: Observation[];
  /** What becomes of what a turn is to tell. */
  telling: { isGivenUp: boolean; end(): Promise<Told> };
}

const benches: Bench[] = [];
afterEach(() => {
  for (const { turns } of benches.splice(0)) turns.end();
});

function bench(pollingInterval: number): Bench {
  const plan = planned(spec({ pollingInterval }), 1, { turnMs: 1 });
  const due = new DuePolls();
  const changed = new Set<string>();
  const turns = createTurns({
    observe: async ({ app }) => {
      its.polled.push(app.uid);
      await its.answered;
      return its.seen;
    },
    subscriptions: {
      attend: () => false,
      forget: () => undefined,
      polled: () => undefined,
      release: () => undefined,
      told: (_, told) => told,
    },
    apps: {
      find: async (app) => ({ metadata: { ...app, generation: 1 }, spec: {}, mirror: [] }),
      effectiveSpec: () => ({ generation: 1, plan }),
    },
    wheel: new Wheel(),
    changed,
    places: (_, work) => work(),
    openTurns: {
      complete: async (_, told) => its.told.push(told as Observation) > 0,
      release: async (token) => its.released.push(Buffer.from(token as Uint8Array).toString()) > 0,
    },
    heldTurns: new HeldTurns(),
    ownership: { owns: (uid) => its.owned.has(uid), takesPart: () => its.takesPart },
    instance: 'kco-0',
    duePolls: due,
    tell: () => its.telling,
    log: { warning: () => undefined },
  });
  const its: Bench = {
    ...{ turns, due, changed },
    owned: new Set(),
    takesPart: true,
    polled: [],
    seen: { matched: 1 },
    told: [],
    telling: { isGivenUp: false, end: async () => ({ left: [0] }) },
    released: [],
    hold: (uid, isHandedOver, input) =>
      turns.hold(
        {
          app: { namespace: 'default', name: uid, uid },
          ...{ due: 0, known: {}, plan: plan.digest, turn: { lengthMs: 600_000, seen: { matched: 1 } } },
          ...input,
        },
        Buffer.from(uid),
        isHandedOver ? 1_000 : undefined,
      ),
  };
  benches.push(its);
  return its;
}

describe('a turn that comes to another replica than its owner', () => {
  it('is polled there and let go after a moment, unless that replica is the owner by then', async () => {
    const its = bench(1);
    its.hold('theirs', true);
    its.hold('mine-soon', true);
    await until('both are polled again', () => its.polled.length >= 4);
    expect(its.released).toEqual([]);
    its.owned.add('mine-soon');
    await until('it is let go', () => its.released.length > 0);
    const polls = its.polled.length;
    await until('the other is polled for longer than any is lent', () => its.polled.length >= polls + 4);
    expect(its.released).toEqual(['theirs']);
    expect(new Set(its.polled.slice(polls))).toEqual(new Set(['mine-soon']));
  });

  it('is let go when this replica leaves, after a poll that is due soon', async () => {
    const its = bench(1);
    its.hold('theirs', true);
    await until('it waits for the next poll', () => its.polled.length > 0 && its.due.at('theirs') > Date.now());
    const [polls, due] = [its.polled.length, its.due.at('theirs')];
    its.takesPart = false;
    await its.turns.letGo(true);
    expect(its.released).toEqual(['theirs']);
    expect(its.polled.length).toBe(polls + 1);
    expect(Date.now()).toBeGreaterThanOrEqual(due);
  });

  it('is let go at once when this replica leaves and no poll is due soon', async () => {
    const its = bench(86_400);
    its.hold('theirs');
    await until('it waits for its poll', () => Number.isFinite(its.due.at('theirs')));
    its.takesPart = false;
    const began = performance.now();
    await its.turns.letGo(true);
    expect(its.released).toEqual(['theirs']);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  it('is nobody’s at once where the others have found this replica silent', async () => {
    const its = bench(1);
    its.owned.add('theirs');
    its.hold('theirs');
    await until('it is polled', () => its.polled.length > 0);
    its.takesPart = false;
    await its.turns.letGo(false);
    const polls = its.polled.length;
    expect(its.due.at('theirs')).toBe(Number.POSITIVE_INFINITY);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(its.polled.length).toBe(polls);
    expect(its.released).toEqual([]);
  });

  it('is refused by one that takes no part', () => {
    const its = bench(1);
    its.takesPart = false;
    expect(() => its.hold('theirs')).toThrow(ApplicationFailure);
    expect(its.turns).toBeDefined();
  });
});

describe('a turn whose telling is given up', () => {
  it('ends with its next poll, so that the workflow knows', async () => {
    const its = bench(1);
    its.owned.add('mine');
    const tell = { kind: 'TargetApp', app: { namespace: 'default', name: 'mine', uid: 'mine' }, records: [] };
    its.hold('mine', false, { turn: { lengthMs: 600_000, seen: { matched: 1 }, tell } });
    await until('it is polled', () => its.polled.length >= 2);
    expect(its.told).toEqual([]);
    its.telling.isGivenUp = true;
    await until('it has ended', () => its.told.length > 0);
    expect(its.told).toEqual([{ matched: 1, by: 'kco-0', told: { left: [0] } }]);
  });
});

describe('turns that end at the same time', () => {
  const failure = failureOf('Timeout', 'no answer within 1s');

  it('tell of failures one after the other, and of new states at once', async () => {
    const its = bench(1);
    its.seen = { matched: 1, readings: [{ subject: 'app', name: 'a', failure }] };
    for (const uid of ['a', 'b', 'c', 'd']) its.owned.add(uid).add('new');
    for (const uid of ['a', 'b', 'c', 'd']) its.hold(uid, true);
    await until('two are told', () => its.told.length === 2);
    await until('all were polled', () => its.polled.length === 4);
    its.seen = { matched: 1, readings: [{ subject: 'app', name: 'new', hash: 'h', state: {} }] };
    its.hold('new', true);
    await until('the new state is told', () => its.told.length > 2);
    expect(its.told.map(({ readings }) => readings?.[0]?.hash)).toEqual([undefined, undefined, 'h']);
    // The workflow has dealt with the first one.
    its.hold(its.polled[0] ?? '');
    await until('the third failure is told', () => its.told.length === 4);
    expect(its.told[3]?.readings?.[0]?.failure).toEqual(failure);
    await until('the fourth is told, because nobody came back for long', () => its.told.length === 5);
  });
});

describe('the first poll of a turn', () => {
  it('is made at once where somebody else had it and a poll may have been due meanwhile', async () => {
    const its = bench(15);
    its.owned.add('mine');
    its.hold('mine', true);
    await until('it is polled', () => its.polled.length === 1, { timeoutMs: 1_000 });
  });

  it('is made at once where its app has changed before its workflow was there', async () => {
    const its = bench(86_400);
    its.owned.add('mine');
    its.changed.add('mine');
    its.hold('mine');
    await until('it is polled', () => its.polled.length === 1, { timeoutMs: 1_000 });
    expect([...its.changed]).toEqual([]);
  });

  it('is made at once where it has become due while its workflow decided', async () => {
    const its = bench(86_400);
    its.owned.add('mine');
    its.due.expect('mine', Date.now() - 1);
    its.hold('mine');
    await until('it is polled', () => its.polled.length === 1, { timeoutMs: 1_000 });
  });

  it('waits for its time otherwise', async () => {
    const its = bench(86_400);
    its.owned.add('mine').add('new');
    its.due.expect('new', Date.now() + 60_000);
    its.hold('mine', true);
    its.hold('new');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(its.polled).toEqual([]);
  });
});

describe('a poll that is due', () => {
  it('is so until it is answered, and the next one then', async () => {
    const its = bench(15);
    its.owned.add('mine');
    const answer = Promise.withResolvers<void>();
    its.answered = answer.promise;
    its.hold('mine', true);
    await until('it is polled', () => its.polled.length === 1);
    const later = Date.now() + 60_000;
    expect(its.due.overdue(() => true, later)).toMatchObject({ count: 1, longestSeconds: expect.closeTo(60, 0) });
    answer.resolve();
    await until('the next one is due', () => its.due.overdue(() => true, later).longestSeconds < 60);
    expect(its.due.overdue(() => true, Date.now()).longestSeconds).toBe(0);
  });

  it('is nobody’s here any more when its turn is let go', async () => {
    const its = bench(15);
    its.hold('theirs', true);
    its.takesPart = false;
    await its.turns.letGo(true);
    expect(its.due.overdue(() => true, Date.now() + 3_600_000)).toEqual({ count: 0, longestSeconds: 0 });
  });
});

describe('a poll that does not end', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is told of after three intervals, at least a minute, and given up', async () => {
    const its = bench(30);
    its.owned.add('mine');
    its.answered = new Promise(() => undefined);
    const since = Date.now();
    its.hold('mine', true);
    await jest.advanceTimersByTimeAsync(85_000);
    expect(its.told).toEqual([]);
    await jest.advanceTimersByTimeAsync(40_000);
    expect(its.told).toMatchObject([
      { matched: 1, unasked: 'late', overdue: { since: expect.any(Number) }, by: 'kco-0' },
    ]);
    expect(its.told[0]?.overdue?.since).toBeGreaterThanOrEqual(since);
  });

  it('is not told of again; the next one that ends is, and then none', async () => {
    const its = bench(30);
    its.owned.add('mine');
    const answer = Promise.withResolvers<void>();
    its.answered = answer.promise;
    its.hold('mine', true, { overdue: true });
    await jest.advanceTimersByTimeAsync(300_000);
    expect(its.told).toEqual([]);
    answer.resolve();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(its.told).toMatchObject([{ matched: 1, overdue: null }]);
    its.hold('mine');
    await jest.advanceTimersByTimeAsync(120_000);
    expect(its.told).toHaveLength(1);
  });
});
