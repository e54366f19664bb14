import { describe, expect, it } from '@jest/globals';
import type { EventDraft, EventRecord } from '../../src/domain/events.ts';
import { isOutdated, withEvents } from '../../src/domain/outbox.ts';
import { type Memory, newMemory } from '../../src/domain/target-app/memory.ts';
import { at, deepFreeze } from '../support/domain.ts';

const pod = (name: string) => ({ uid: `uid-${name}`, name });
const change = (fields: Partial<EventDraft> = {}): EventDraft => ({
  type: 'Normal',
  reason: 'StateChanged',
  message: 'a changed',
  change: true,
  ...fields,
});
const deed = (message: string): EventDraft => ({ type: 'Normal', reason: 'TriggerFired', message });
const many = (count: number, fields: Partial<EventDraft> = {}): EventDraft[] =>
  Array.from({ length: count }, (_, i) => change({ message: `field-${i} changed`, ...fields }));

/** What is written when every Event is recorded at once: what there is to tell, by the second at which it comes up. */
function written(told: (second: number) => EventDraft[], seconds: number): { at: number; record: EventRecord }[] {
  const writes: { at: number; record: EventRecord }[] = [];
  let memory = newMemory();
  for (let second = 0; second < seconds; second += 1) {
    const next = withEvents(deepFreeze(memory), told(second), at(second));
    writes.push(...next.outbox.map((record) => ({ at: second, record })));
    memory = JSON.parse(JSON.stringify({ ...next, outbox: [] })) as Memory;
  }
  return writes;
}

const countOf = (writes: { record: EventRecord }[], isMeant: (record: EventRecord) => boolean): number =>
  writes.filter(({ record }) => isMeant(record)).length;

describe('the outbox', () => {
  /** The memory after that many Events, none of which could be recorded. */
  const unrecorded = (times: number, draft: (i: number) => EventDraft, every = 20): Memory =>
    Array.from({ length: times }).reduce<Memory>(
      (memory, _, i) => withEvents(memory, [draft(i)], at(i * every)),
      newMemory(),
    );

  it('has one Event with a higher count, however often it was repeated', () => {
    expect(unrecorded(50, () => change()).outbox.map(({ count, message }) => ({ count, message }))).toEqual([
      { count: 50, message: 'a changed' },
    ]);
  });

  it('is bounded, and keeps the newest', () => {
    const { outbox, pacing } = unrecorded(700, (i) => deed(`deed-${i}`));
    expect(outbox.length).toBeLessThanOrEqual(500);
    expect(outbox.some(({ message }) => message === 'deed-699')).toBe(true);
    expect(pacing?.uncounted?.OutboxFull).toBeGreaterThanOrEqual(200);
  });

  it('is bounded in bytes, and lets changes of the state go before what was decided and done', () => {
    const { outbox } = unrecorded(400, (i) =>
      i < 100 ? deed(`deed-${i}`) : change({ message: `c-${i} ${'ä'.repeat(1000)}` }),
    );
    expect(Buffer.byteLength(JSON.stringify(outbox))).toBeLessThan(300 * 1024);
    expect(outbox.filter(({ change: isChange }) => !isChange).length).toBeGreaterThanOrEqual(100);
    expect(outbox.some(({ message }) => message.startsWith('c-399'))).toBe(true);
  });

  it('leaves the memory as it is where there is nothing to tell', () => {
    const memory = newMemory();
    expect(withEvents(memory, [], at(0))).toBe(memory);
  });

  it('needs no memory of room once there is enough again', () => {
    const memory = withEvents(newMemory(), many(10), at(0));
    expect(memory.pacing).toBeDefined();
    expect(withEvents({ ...memory, outbox: [] }, [change()], at(3_600)).pacing?.waiting).toEqual([]);
    expect(Buffer.byteLength(JSON.stringify(withEvents(memory, [change()], at(3_600)).pacing))).toBeLessThan(100);
  });
});

describe('an Event that the API server refuses again and again', () => {
  const minutes = 60;
  it.each([
    ['is tried again for an hour', 59 * minutes, 58 * minutes, false],
    ['is let go after an hour, while others are taken', 61 * minutes, 58 * minutes, true],
    ['is kept for as long as no other is taken either', 61 * minutes, 0, false],
  ])('%s', (_, now, recorded, isLetGo) => {
    const [record] = withEvents(newMemory(), [change()], at(0)).outbox;
    expect(record && isOutdated(record, at(recorded), at(now))).toBe(isLetGo);
  });
});

describe('Events beyond what there is room for', () => {
  it('are left out, counted, and told of by one Event', () => {
    const memory = withEvents(newMemory(), many(100), at(0));
    expect(memory.outbox.filter(({ reason }) => reason === 'StateChanged')).toHaveLength(40);
    expect(memory.outbox.at(-1)).toMatchObject({
      type: 'Warning',
      reason: 'EventsDropped',
      message: expect.stringContaining('60 further Events were left out'),
      count: 1,
    });
    expect(memory.pacing?.uncounted).toEqual({ RateLimited: 60 });
  });

  it('are told of by an Event that counts on, at most once a minute, and to the last one', () => {
    let n = 0;
    const noise = () => many(5).map((draft) => ({ ...draft, message: `another-${n++}` }));
    const writes = written((second) => (second < 300 ? noise() : []), 400);
    const notices = writes.filter(({ record }) => record.reason === 'EventsDropped');
    expect(notices.length).toBeLessThanOrEqual(7);
    expect(new Set(notices.map(({ record }) => record.id)).size).toBe(1);
    const told = countOf(writes, ({ reason }) => reason === 'StateChanged');
    expect(told).toBeLessThanOrEqual(40 + 30);
    expect(notices.at(-1)?.record.message).toContain(`${1500 - told} further Events`);
  });

  it('come when there is room again, as new', () => {
    const full = withEvents(newMemory(), many(50), at(0));
    const later = withEvents({ ...full, outbox: [] }, [change({ message: 'field-45 changed' })], at(30));
    expect(later.outbox).toMatchObject([{ message: 'field-45 changed', count: 1, first: at(30) }]);
  });

  it('are told all the same where they say what fired and how it ended, but not by a run that began without that', () => {
    const deeds = Array.from({ length: 300 }, (_, i) => ({
      ...deed(`restart-${i}: so restart_pod`),
      spared: true as const,
    }));
    const failures = Array.from({ length: 10 }, (_, i) => ({ ...deed(`cart-${i} failed`), reason: 'Timeout' }));
    const memory = withEvents({ ...newMemory(), sparing: true }, [...deeds, ...failures], at(0));
    expect(memory.outbox.map(({ reason }) => reason)).toEqual([...Array(300).fill('TriggerFired'), 'EventsDropped']);
    expect(memory.pacing?.uncounted).toEqual({ RateLimited: 10 });
    expect(withEvents(newMemory(), deeds, at(0)).pacing?.uncounted).toEqual({ RateLimited: 100 });
  });

  it('crowd out neither what was decided and done, nor trouble', () => {
    const noisy = withEvents(newMemory(), many(200), at(0));
    const trouble = change({ type: 'Warning', message: 'health changed from healthy to unhealthy' });
    const { outbox } = withEvents(
      { ...noisy, outbox: [] },
      [...many(200), trouble, deed('restart: so restart_pod')],
      at(1),
    );
    expect(outbox.map(({ reason, type }) => `${type} ${reason}`)).toEqual(
      expect.arrayContaining(['Warning StateChanged', 'Normal TriggerFired']),
    );
  });
});

describe('what repeats at every poll', () => {
  const counters = (second: number): EventDraft[] =>
    ['a', 'b', 'c'].map((name) =>
      change({ message: `time changed to ${second} on pod ${name}`, pod: pod(name), sameAs: 'time' }),
    );

  it('is one Event per pod that counts, in few writes', () => {
    const writes = written(counters, 600);
    expect(new Set(writes.map(({ record }) => record.id)).size).toBe(3);
    expect(writes.length).toBeLessThanOrEqual(30 + 60);
    for (const name of ['a', 'b', 'c']) {
      const last = writes.filter(({ record }) => record.pod?.name === name).at(-1);
      expect(last?.record.count).toBeGreaterThanOrEqual(560);
      expect(last?.record.count).toBe((last?.at ?? 0) + 1);
    }
  });

  it('is told to its last word when it ends, though nothing else is to be told', () => {
    const writes = written((second) => (second < 100 ? counters(second) : []), 200);
    for (const name of ['a', 'b', 'c'])
      expect(writes.filter(({ record }) => record.pod?.name === name).at(-1)?.record).toMatchObject({
        count: 100,
        message: `time changed to 99 on pod ${name}`,
      });
    expect(countOf(writes, ({ reason }) => reason === 'EventsDropped')).toBe(0);
  });

  it('leaves room for what is new', () => {
    const news = change({ message: 'phase changed from syncing to synced', sameAs: 'phase' });
    const writes = written((second) => [...counters(second), ...(second === 250 ? [news] : [])], 260);
    expect(writes.filter(({ record }) => record.message === news.message)).toMatchObject([{ at: 250 }]);
  });

  it('is told by turns where it is more than there is room for', () => {
    const all = Array.from({ length: 30 }, (_, i) => `p${i}`);
    const writes = written(
      (second) => all.map((name) => change({ message: `at ${second}`, pod: pod(name), sameAs: 'time' })),
      900,
    );
    const late = writes.filter(({ at: second }) => second >= 500);
    expect(new Set(late.map(({ record }) => record.pod?.name)).size).toBe(30);
  });
});
