import { brief } from '../diff.ts';
import { bytesOf } from '../text.ts';
import type { Memory, PendingAction, SubjectMemory } from './memory.ts';

/** What Temporal takes as one payload is 2 MiB; some of that is for what surrounds the memory. */
const maxBytes = 1_500_000;
const maxOutbox = 200;
const maxEvents = 100;
const shortValue = 64;

/** Bytes of a value as JSON in UTF-8. */
export const jsonBytes = (value: unknown): number => bytesOf(JSON.stringify(value));

const briefly = <T extends Pick<PendingAction, 'request'>>({ request, ...rest }: T): T => {
  const { oldValue, newValue, values: _, ...kept } = request;
  return {
    ...rest,
    request: {
      ...kept,
      ...(oldValue !== undefined && { oldValue: brief(oldValue, shortValue) }),
      ...(newValue !== undefined && { newValue: brief(newValue, shortValue) }),
    },
  } as T;
};

/** A subject without its state: it is told again at the next look, and has its baseline there. */
const stateless = ({ hash: _, state: __, unseen: ___, ...subject }: SubjectMemory): SubjectMemory => subject;

/** The memory without the states of as many subjects, the largest first, as it takes to fit. */
function withoutStates(memory: Memory): Memory {
  const sizes = Object.entries(memory.subjects).map(([subject, known]) => ({ subject, bytes: jsonBytes(known) }));
  let excess = jsonBytes(memory) - maxBytes;
  const subjects = { ...memory.subjects };
  for (const { subject, bytes } of sizes.toSorted((a, b) => b.bytes - a.bytes)) {
    const known = subjects[subject];
    if (excess <= 0 || known === undefined) break;
    subjects[subject] = stateless(known);
    excess -= bytes - jsonBytes(subjects[subject]);
  }
  return { ...memory, subjects };
}

/** What is given up, one after the other, until a memory fits: what matters least comes first. */
const cuts: ((memory: Memory) => Memory)[] = [
  (memory) => ({ ...memory, events: Object.fromEntries(Object.entries(memory.events).slice(-maxEvents)) }),
  (memory) => ({ ...memory, outbox: memory.outbox.slice(-maxOutbox) }),
  (memory) => ({
    ...memory,
    pending: memory.pending.map(briefly),
    undelivered: memory.undelivered.map(briefly),
  }),
  withoutStates,
  (memory) => ({ ...memory, events: {}, outbox: [], undelivered: [] }),
];

/** A memory that Temporal takes as the input of the next run: values are cut, never the workflow. */
export function fitted(memory: Memory): Memory {
  let kept = memory;
  for (const cut of cuts) {
    if (jsonBytes(kept) <= maxBytes) return kept;
    kept = cut(kept);
  }
  return kept;
}
