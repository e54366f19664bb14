import { describe, expect, it } from '@jest/globals';
import {
  aggregate,
  type EventDraft,
  type EventRecord,
  type RecentEvent,
  repeatWindowMs,
} from '../../src/domain/events.ts';

const draft = (replaced: Partial<EventDraft> = {}): EventDraft => ({
  type: 'Normal',
  reason: 'StateChanged',
  message: 'a changed',
  ...replaced,
});

/** Aggregates one draft at each of the times; the records in order. */
const at = (times: number[], drafts: EventDraft[] = [draft()]): EventRecord[] => {
  let recent: Record<string, RecentEvent> = {};
  return times.flatMap((now) => {
    const next = aggregate(recent, drafts, now);
    recent = next.recent;
    return next.records;
  });
};

describe('aggregate', () => {
  it('raises the count of an Event that repeats, under the same id', () => {
    const [first, second, third] = at([0, 1000, 2000]);
    expect(first).toMatchObject({ count: 1, first: 0, last: 0 });
    expect(third).toMatchObject({ id: first?.id, count: 3, first: 0, last: 2000 });
    expect(second?.id).toBe(first?.id);
  });

  it.each([
    ['just within the window', repeatWindowMs - 1, 2],
    ['at its end', repeatWindowMs, 1],
  ])('counts a repeat %s', (_, later, count) => {
    const [first, second] = at([0, later]);
    expect(second?.count).toBe(count);
    expect(second?.id === first?.id).toBe(count === 2);
  });

  it('keeps the window open as long as it repeats', () => {
    expect(at([0, 500_000, 1_000_000, 1_500_000]).map(({ count }) => count)).toEqual([1, 2, 3, 4]);
  });

  it('takes two in one go for repeats', () => {
    expect(at([0], [draft(), draft()]).map(({ count }) => count)).toEqual([1, 2]);
  });

  it.each<[string, Partial<EventDraft>, boolean]>([
    ['another message', { message: 'b changed' }, false],
    ['another reason', { reason: 'Other' }, false],
    ['another pod', { pod: { uid: 'u', name: 'p' } }, false],
    ['another severity', { type: 'Warning' }, false],
    ['another time or number in the message', { message: 'a 5 changed' }, false],
    ['the same once more', {}, true],
  ])('tells apart %s', (_, other, isSame) => {
    const [first, second] = at([0], [draft(), draft(other)]);
    expect(second?.id === first?.id).toBe(isSame);
  });

  it.each([
    ['numbers', 'lag is 1234 ms', 'lag is 99 ms'],
    ['times', 'since 2026-01-01T00:00:00Z', 'since 2026-01-01 00:00:30.123 +02:00'],
    ['what is said to be the same', 'one thing', 'another thing'],
  ])('joins messages that differ by %s only, and keeps the latest', (why, one, other) => {
    const said = (message: string) => draft({ message, ...(why.includes('said') && { sameAs: 'n' }) });
    const { recent } = aggregate({}, [said(one)], 0);
    expect(aggregate(recent, [said(other)], 1).records).toMatchObject([{ message: other, count: 2 }]);
  });

  it('cuts a message to what the API server takes, and leaves no half character', () => {
    const [cut] = at([0], [draft({ message: `${'x'.repeat(1023)}😀` })]);
    expect(cut?.message).toBe(`${'x'.repeat(1023)}…`);
    expect(at([0], [draft({ message: 'lone \ud800 surrogate' })])[0]?.message).toBe('lone \ufffd surrogate');
  });

  it('makes of a message one line that does nothing to a terminal', () => {
    expect(at([0], [draft({ message: 'a\nb \u001b[31mred\u202e' })])[0]?.message).toBe('a b  [31mred');
  });

  it('remembers and names an Event by less than 250 bytes, whatever it says', () => {
    const pod = { uid: '0198c1f2-6f0e-7c1b-9d4e-2f9a53f2f6b1', name: 'p' };
    const { recent, records } = aggregate(
      {},
      [draft({ reason: 'R'.repeat(64), message: 'ä'.repeat(9_000), pod })],
      Date.now(),
    );
    expect(Buffer.byteLength(JSON.stringify(recent))).toBeLessThan(250);
    expect(Buffer.byteLength(records[0]?.id ?? '')).toBeLessThan(200);
  });

  it('forgets what repeated longest ago first', () => {
    const many = (count: number, from: number) =>
      Array.from({ length: count }, (_, i) => draft({ message: `n${from + i}` }));
    const { recent } = aggregate({}, many(500, 0), 0);
    const again = aggregate(recent, [draft({ message: 'n0' }), ...many(1, 500)], 1);
    const { records } = aggregate(again.recent, [draft({ message: 'n0' }), draft({ message: 'n1' })], 2);
    expect(records.map(({ count }) => count)).toEqual([3, 1]);
  });

  it('joins repeats of as many pods as a poll may tell of', () => {
    const told = Array.from({ length: 300 }, (_, i) => draft({ message: `counter of pod-${i}` }));
    const { recent } = aggregate({}, told, 0);
    expect(aggregate(recent, told, 1).records.every(({ count }) => count === 2)).toBe(true);
  });

  it('remembers so many only, the latest ones', () => {
    const many = Array.from({ length: 800 }, (_, i) => draft({ message: `n${i}` }));
    const { recent } = aggregate({}, many, 0);
    const { recent: later, records } = aggregate(recent, [draft({ message: 'n799' }), draft({ message: 'n0' })], 1);
    expect(records.map(({ count }) => count)).toEqual([2, 1]);
    expect(Object.keys(later)).toHaveLength(501);
  });
});
