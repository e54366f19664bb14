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
    ['the same once more', {}, true],
  ])('tells apart %s', (_, other, isSame) => {
    const [first, second] = at([0], [draft(), draft(other)]);
    expect(second?.id === first?.id).toBe(isSame);
  });

  it('joins messages with a running number, and keeps the latest', () => {
    const { recent } = aggregate({}, [draft({ message: '1', sameAs: 'n' })], 0);
    const { records } = aggregate(recent, [draft({ message: '2', sameAs: 'n' })], 1);
    expect(records).toMatchObject([{ message: '2', count: 2 }]);
  });

  it('cuts a message to what the API server takes, and leaves no half character', () => {
    const [cut] = at([0], [draft({ message: `${'x'.repeat(1023)}😀` })]);
    expect(cut?.message).toBe(`${'x'.repeat(1023)}\ufffd`);
    expect(at([0], [draft({ message: 'lone \ud800 surrogate' })])[0]?.message).toBe('lone \ufffd surrogate');
    expect(cut?.id.length).toBeLessThan(1100);
  });

  it('forgets what repeated longest ago first', () => {
    const many = (count: number, from: number) =>
      Array.from({ length: count }, (_, i) => draft({ message: `${from + i}` }));
    const { recent } = aggregate({}, many(500, 0), 0);
    const again = aggregate(recent, [draft({ message: '0' }), ...many(1, 500)], 1);
    const { records } = aggregate(again.recent, [draft({ message: '0' }), draft({ message: '1' })], 2);
    expect(records.map(({ count }) => count)).toEqual([3, 1]);
  });

  it('joins repeats of as many pods as a poll may tell of', () => {
    const told = Array.from({ length: 300 }, (_, i) => draft({ message: `counter of pod ${i}` }));
    const { recent } = aggregate({}, told, 0);
    expect(aggregate(recent, told, 1).records.every(({ count }) => count === 2)).toBe(true);
  });

  it('remembers so many only, the latest ones', () => {
    const many = Array.from({ length: 800 }, (_, i) => draft({ message: `${i}` }));
    const { recent } = aggregate({}, many, 0);
    const { recent: later, records } = aggregate(recent, [draft({ message: '799' }), draft({ message: '0' })], 1);
    expect(records.map(({ count }) => count)).toEqual([2, 1]);
    expect(Object.keys(later)).toHaveLength(501);
  });
});
