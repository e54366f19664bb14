import type { EventDraft } from '../events.ts';
import { isJsonObject, type Json, own } from '../json.ts';
import { elementBelow, fieldBelow, overlapsAny, valuesAt } from '../path.ts';
import type { SubjectView } from './findings.ts';
import type { Memory, SubjectMemory } from './memory.ts';
import type { Observation, Reading } from './observation.ts';
import { withOverdue } from './overdue.ts';
import { withSubscription } from './subscription.ts';
import { lostEvents, underSpec } from './under-spec.ts';

/** A state in which values that are unknown now are those that were known last: an error is not a change to null. */
function withKnown(now: Json, before: Json | undefined, unknown: ReadonlySet<string>, path = ''): Json {
  if (path !== '' && unknown.has(path)) return before ?? null;
  if (Array.isArray(now))
    return now.map((item, i) =>
      withKnown(item, Array.isArray(before) ? before[i] : undefined, unknown, elementBelow(path, i)),
    );
  if (!isJsonObject(now)) return now;
  const earlier = isJsonObject(before) ? before : {};
  return Object.fromEntries(
    Object.entries(now).map(([key, item]) => [key, withKnown(item, own(earlier, key), unknown, fieldBelow(path, key))]),
  );
}

/** Those of the unknown paths that were unknown ever since their first sight: there is no earlier value to go by. */
const neverSeen = (known: SubjectMemory | undefined, unknown: string[]): string[] =>
  unknown.filter(
    (path) =>
      known?.state === undefined ||
      valuesAt(known.state, path).length === 0 ||
      (known.unseen !== undefined && overlapsAny(path, known.unseen)),
  );

/** What was before, for comparison. A value that is seen for the first time is its own baseline: it did not change. */
function previousOf(before: SubjectMemory | undefined, after: SubjectMemory): Json | undefined {
  if (before?.state === undefined || before.unseen === undefined || after.state === before.state) return before?.state;
  return withKnown(before.state, after.state, new Set(before.unseen));
}

/** When a subject was started, as it was told first: what is asked is whether it ever came up. */
function startOf(known: SubjectMemory | undefined, reading: Reading): Pick<SubjectMemory, 'startedAt' | 'startupMs'> {
  const { startedAt, startupMs } = known?.startedAt === undefined ? reading : known;
  return { ...(startedAt !== undefined && { startedAt }), ...(startupMs !== undefined && { startupMs }) };
}

function subjectAfter(known: SubjectMemory | undefined, reading: Reading): SubjectMemory {
  const next: SubjectMemory = { name: reading.name || (known?.name ?? ''), ...startOf(known, reading) };
  if (reading.failure !== undefined) {
    next.failure = reading.failure;
    if (known?.hash !== undefined) next.hash = known.hash;
    if (known?.state !== undefined) next.state = known.state;
    if (known?.unseen !== undefined) next.unseen = known.unseen;
    return next;
  }
  const state = reading.state ?? known?.state;
  const { unknown } = reading;
  const unseen = unknown === undefined ? [] : neverSeen(known, unknown);
  if (unseen.length > 0) next.unseen = unseen;
  if (reading.hash !== undefined) next.hash = reading.hash;
  if (unknown?.length) Object.assign(next, { unknown, ...(reading.why !== undefined && { why: reading.why }) });
  if (state !== undefined)
    next.state = reading.state && unknown?.length ? withKnown(reading.state, known?.state, new Set(unknown)) : state;
  return next;
}

/** What one observation made of the memory. */
export interface Absorbed {
  memory: Memory;
  /** Every subject there is, with its state before this observation. */
  views: SubjectView[];
  /** Failures as they were before this observation, by subject. */
  failedBefore: Record<string, SubjectMemory['failure']>;
  /** What a new plan, or the subscription, makes worth an Event. */
  drafts: EventDraft[];
}

/** The memory with what was seen of the pods; how many match is left as it was where that cannot be said. */
function withPods(memory: Memory, { matched, nothingRuns, podsUnknown }: Observation): Memory {
  const { nothingRuns: _, podsUnknown: __, ...rest } = memory;
  if (podsUnknown !== undefined) return { ...rest, podsUnknown };
  return { ...rest, matched, ...(nothingRuns && { nothingRuns }) };
}

/** Takes one observation into the memory; decides nothing. Pure: the memory passed is left alone. */
export function applyObservation(memory: Memory, observation: Observation, now: number): Absorbed {
  const planned =
    observation.plan === undefined ? memory : underSpec(memory, observation.plan, observation.mirror ?? [], now);
  const subjects = { ...planned.subjects };
  for (const subject of observation.gone ?? []) delete subjects[subject];
  const before: Record<string, SubjectMemory> = { ...subjects };
  for (const reading of observation.readings ?? []) {
    const known = before[reading.subject];
    subjects[reading.subject] = { ...subjectAfter(known, reading), seenAt: known?.seenAt ?? now };
  }
  const views = Object.entries(subjects).map(([subject, known]) => {
    const previous = previousOf(before[subject], known);
    return { ...known, subject, ...(previous !== undefined && { previous }) };
  });
  const failedBefore = Object.fromEntries(Object.entries(before).map(([subject, known]) => [subject, known.failure]));
  const polled = observation.plan?.suspend ? {} : { lastPoll: now };
  const who = observation.by === undefined ? {} : { watchedBy: observation.by };
  const requested = observation.pollRequested === undefined ? {} : { pollRequested: observation.pollRequested };
  const [after, subscriptionDrafts] = withSubscription(
    { ...withOverdue(withPods(planned, observation), observation), ...polled, ...who, ...requested, subjects },
    observation.subscription,
  );
  return {
    memory: after,
    views,
    failedBefore,
    drafts: [...(observation.plan === undefined ? [] : lostEvents(memory, planned)), ...subscriptionDrafts],
  };
}
