import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EventDraft, EventRecord } from '../../src/domain/events.ts';
import { withEvents } from '../../src/domain/outbox.ts';
import { type Memory, newMemory } from '../../src/domain/target-app/memory.ts';
import { runs } from '../support/fuzz-runs.ts';

/** Few, which repeat: no more than may wait for room. */
const again: fc.Arbitrary<EventDraft> = fc.record(
  {
    type: fc.constantFrom('Normal', 'Warning'),
    reason: fc.constant('StateChanged'),
    message: fc.constantFrom('a changed', 'b changed', 'c changed'),
    pod: fc.constantFrom({ uid: 'u', name: 'p' }, { uid: 'w', name: 'q' }),
    change: fc.constant(true),
  },
  { requiredKeys: ['type', 'reason', 'message'] },
);
/** Many, which do not. */
const once: fc.Arbitrary<EventDraft> = fc.record({
  type: fc.constantFrom('Normal', 'Warning'),
  reason: fc.constant('Told'),
  message: fc.noBias(fc.nat(1e9)).map((n) => `field-${n} changed`),
  change: fc.constant(true),
});
const draft = fc.oneof(again, once);
const isSame = (draftOf: EventDraft): string => JSON.stringify({ ...draftOf, pod: draftOf.pod?.uid });
/** What there is to tell, each after a pause in milliseconds. */
const story = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 120_000 }), fc.uniqueArray(draft, { maxLength: 30, selector: isSame })),
  { maxLength: 8 },
);
/** Time for all that waits. */
const quiet = Array.from({ length: 10 }, (): [number, EventDraft[]] => [60_000, []]);

interface Written {
  writes: EventRecord[];
  leftOut: number;
}

/** Plays a story, and quiet after it; everything that is written is recorded at once. */
function played(told: [number, EventDraft[]][]): Written {
  const writes: EventRecord[] = [];
  let [memory, now, leftOut]: [Memory, number, number] = [newMemory(), 0, 0];
  for (const [pause, drafts] of [...told, ...quiet]) {
    now += pause;
    const next = withEvents(memory, drafts, now);
    writes.push(...next.outbox);
    leftOut += next.pacing?.uncounted?.RateLimited ?? 0;
    expect(JSON.stringify(next.pacing ?? {}).length).toBeLessThan(20_000);
    const { uncounted: _, ...pacing } = next.pacing ?? {};
    memory = { ...next, outbox: [], ...(next.pacing && { pacing }) } as Memory;
  }
  return { writes, leftOut };
}

/** Events that were written again with a smaller or the same count, or an older time. */
const setBack = (writes: EventRecord[]): EventRecord[] => {
  const seen = new Map<string, EventRecord>();
  return writes.filter((record) => {
    const before = seen.get(record.id);
    seen.set(record.id, record);
    return before !== undefined && (record.count <= before.count || record.last < before.last);
  });
};

describe('whatever there is to tell', () => {
  it('each Event is told, or counted in one that is told, or counted as left out; and no count goes back', () => {
    fc.assert(
      fc.property(story, (told) => {
        const { writes, leftOut } = played(told);
        const last = new Map(writes.map((record) => [record.id, record]));
        const counted = [...last.values()].reduce(
          (sum, { reason, count }) => sum + (reason === 'EventsDropped' ? 0 : count),
          0,
        );
        expect(counted + leftOut).toBe(told.reduce((sum, [, drafts]) => sum + drafts.length, 0));
        expect(writes.some(({ reason }) => reason === 'EventsDropped')).toBe(leftOut > 0);
        expect(setBack(writes)).toEqual([]);
      }),
      runs(150),
    );
  });
});
