import type { PodRef } from './action.ts';
import type { FailureClass } from './observation.ts';

/** Every reason that an Event of KCO can have; documented in docs/events.md. */
export type EventReason =
  | FailureClass
  | 'ActionDryRun'
  | 'ActionFailed'
  | 'ActionOutcomeUnknown'
  | 'ActionRefused'
  | 'ActionSucceeded'
  | 'InvalidSpec'
  | 'MonitoringStarted'
  | 'Recovered'
  | 'Resumed'
  | 'StateChanged'
  | 'Suspended'
  | 'TriggerFired'
  | 'TriggerSuppressed'
  | 'TriggerTypeMismatch';

/** Something worth an Event. */
export interface EventDraft {
  type: 'Normal' | 'Warning';
  /** PascalCase; of the closed list, or as `spec.events` says. */
  reason: string;
  message: string;
  /** The pod it is about, beside the TargetApp. */
  pod?: PodRef;
  /** What makes two of them the same; default: the message. Left apart where a message carries a running number. */
  sameAs?: string;
}

/** An Event as it is to stand in the cluster: recording it twice changes nothing. Times are epoch milliseconds. */
export interface EventRecord extends EventDraft {
  /** Identity of the Event object within its TargetApp. */
  id: string;
  count: number;
  first: number;
  last: number;
}

/** Repeats within this time raise a count instead of making a new object. */
export const repeatWindowMs = 10 * 60_000;
/** How many recent Events are remembered for that; each costs about 200 bytes of memory that is handed on. */
const maxRemembered = 500;
/** Longest message that the API server takes in an Event. */
const maxMessageLength = 1024;

const keyOf = ({ reason, pod, sameAs, message }: EventDraft): string =>
  `${reason}/${pod?.uid ?? ''}/${sameAs ?? message}`;

/** A message that the API server takes: not too long, and without half a character. */
const fitted = (message: string): string => message.slice(0, maxMessageLength).toWellFormed();

/** What is remembered of an Event, by what makes two of them the same. */
export type RecentEvent = Pick<EventRecord, 'count' | 'first' | 'last'>;

/** The recent Events that still count as recent, newest last. */
function stillRecent(recent: Record<string, RecentEvent>, now: number): Record<string, RecentEvent> {
  const kept = Object.entries(recent).filter(([, record]) => now - record.last < repeatWindowMs);
  return Object.fromEntries(kept.sort(([, a], [, b]) => a.last - b.last).slice(-maxRemembered));
}

/** Joins new Events with the recent ones: a repeat becomes the recent one with a higher count. */
export function aggregate(
  recent: Record<string, RecentEvent>,
  drafts: EventDraft[],
  now: number,
): { recent: Record<string, RecentEvent>; records: EventRecord[] } {
  const known = stillRecent(recent, now);
  const records = drafts.map((long) => {
    const draft = { ...long, message: fitted(long.message) };
    const key = keyOf(draft);
    const earlier = known[key];
    const seen = { count: (earlier?.count ?? 0) + 1, first: earlier?.first ?? now, last: now };
    known[key] = seen;
    return { ...draft, id: `${key}/${seen.first}`, ...seen };
  });
  return { recent: known, records };
}
