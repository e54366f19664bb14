import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Change, Effects, type Told } from '../../dev/faults/effects.ts';
import { isMissed, seconds, tableOf } from '../../dev/faults/figures.ts';
import { pollTimes } from '../support/poll-times.ts';

describe('the ledger of polls', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 100_000 }));
  afterEach(() => void jest.useRealTimers());

  it('knows the gaps that end in a time, the open ones, and which polls came too soon', () => {
    const listeners: ((address: string) => void)[] = [];
    const app = { onRequest: (listener: (address: string) => void) => void listeners.push(listener) };
    const ledger = pollTimes(app, ['a', 'b'], 1_000);
    const at = (ms: number, address: string): void => {
      jest.setSystemTime(100_000 + ms);
      for (const listener of listeners) listener(address);
    };
    for (const ms of [1_000, 2_000, 2_300, 3_000]) at(ms, 'a');
    for (const ms of [1_500, 2_600]) at(ms, 'b');
    jest.setSystemTime(105_000);
    expect(ledger.since(102_000)).toEqual({
      ...{ polls: 4, mostPolls: 3, doubled: 1 },
      ...{ longestGapMs: 2_400, longestWaitMs: 600, p99OffMs: 700 },
    });
    expect(ledger.since(102_000, ['b'])).toMatchObject({ polls: 1, p99OffMs: 100 });
    expect(ledger.since(103_500)).toMatchObject({ polls: 0, longestWaitMs: 1_500 });
    expect([ledger.firstFrom(102_100, 'a'), ledger.firstFrom(103_100, 'a')]).toEqual([102_300, undefined]);
  });
});

describe('the ledger of effects', () => {
  const told = { events: [] as ReturnType<Told['events']>, deliveries: [] as ReturnType<Told['deliveries']> };
  const ledger = new Effects({ events: () => told.events, deliveries: () => told.deliveries });
  const change = (name: string, to: number): Change => ({ name, address: name, to, at: 0 });
  const event = (name: string, reason: string, count = 1) => ({
    ...{ reason, count },
    involvedObject: { kind: 'TargetApp', name, uid: name, namespace: 'default' },
  });
  const delivery = (to: number, id: string, at = 7) => ({
    ...{ at, body: JSON.stringify({ change: to }) },
    headers: { 'idempotency-key': id },
  });

  it('counts what is missing of a change, and leaves out what was told before it', () => {
    told.events.push(event('a', 'StateChanged'));
    ledger.begin();
    ledger.expect(change('a', 1));
    expect(ledger.tally()).toEqual({ changes: 1, lost: 4, doubled: 0 });
    told.events = [event('a', 'StateChanged', 2), event('a', 'TriggerFired'), event('a', 'ActionSucceeded')];
    told.deliveries.push(delivery(1, 'x'), delivery(1, 'x', 8));
    expect(ledger.tally()).toEqual({ changes: 1, lost: 0, doubled: 0 });
    expect(ledger.calledAt(change('a', 1))).toBe(7);
  });

  it('counts an Event, and a call under another id, that nothing has led to', () => {
    told.events.push(event('b', 'TriggerFired'), event('b', 'PollSlow'));
    told.deliveries.push(delivery(1, 'y'));
    expect(ledger.tally()).toEqual({ changes: 1, lost: 0, doubled: 2 });
  });
});

describe('the table of figures', () => {
  it('says which bars are missed, and nothing of what has no bar', () => {
    const figures = [seconds('gap', 6_001, 6_000), seconds('gap', 6_000, 6_000), { what: 'calls', value: 110 }];
    expect(figures.map(isMissed)).toEqual([true, false, false]);
    expect(tableOf([{ scene: 'kill', figures }]).split('\n')).toEqual([
      'scene  figure  found   at most',
      'kill   gap     6.00 s  6.00 s   MISSED',
      'kill   gap     6.00 s  6.00 s',
      'kill   calls   110',
    ]);
  });

  it('a figure that is no number is missed', () => {
    expect(isMissed({ what: 'gap', value: Number.NaN, limit: 1 })).toBe(true);
  });
});
