import { fnv1a } from './hash.ts';
import { likeness } from './likeness.ts';
import type { PodRef } from './refs.ts';
import { legible } from './text.ts';

/**
 * Why an Event is not recorded. `OutboxFull`: too many waited for an API server that took none. `Outdated`: it was refused
 * again and again, while others were taken. `RateLimited`: there was no room for it. `Refused`: for good, by the API server.
 */
export type DropReason = 'Outdated' | 'OutboxFull' | 'RateLimited' | 'Refused';

/** Something worth an Event. */
export interface EventDraft {
  type: 'Normal' | 'Warning';
  /** PascalCase; of the closed list, or as `spec.events` says. */
  reason: string;
  message: string;
  /** The pod it is about, beside the TargetApp. */
  pod?: PodRef;
  /** It tells a change of the state, of which an app can make any number: what KCO decides and does has its own room. */
  change?: true;
  /** It tells that a rule has fired or recovered, or how an action ended: as often as that happens, so never left out for lack of room. */
  spared?: true;
  /** What makes two of them the same; default: the message, less what only counts, measures or dates in it. */
  sameAs?: string;
}

/** An Event as it is to stand in the cluster: recording it twice changes nothing. Times are epoch milliseconds. */
export interface EventRecord extends Omit<EventDraft, 'sameAs'> {
  /** Identity of the Event object within its TargetApp. */
  id: string;
  count: number;
  first: number;
  last: number;
}

/** The Event of a status that the API server refuses for good. */
export const statusRefusedEvent = (why: string): EventDraft => ({
  type: 'Warning',
  reason: 'StatusRefused',
  message: `the status is not up to date, because the API server refuses it: ${why}`,
  sameAs: 'status',
});

/** Repeats within this time raise a count instead of making a new object. */
export const repeatWindowMs = 10 * 60_000;
/** How many recent Events are remembered for that; each costs at most 250 bytes of memory that is handed on. */
const maxRemembered = 500;
/** Longest message that the API server takes in an Event. */
const maxMessageLength = 1024;

/** 64 bits, so that no two of the few hundred that are remembered are taken for one. */
const digestOf = (text: string): string => fnv1a(text).toString(36) + fnv1a(text, 0x9747b28c).toString(36);

/** A Warning and a Normal are two, whatever they say: the one must not be written over the other. */
const keyOf = ({ type, reason, pod, sameAs, message }: EventDraft): string =>
  `${type.charAt(0)}/${reason}/${pod?.uid ?? ''}/${digestOf(sameAs ?? likeness(message))}`;

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
  const records = drafts.map(({ sameAs, ...draft }) => {
    const key = keyOf({ ...draft, ...(sameAs !== undefined && { sameAs }) });
    const earlier = known[key];
    const seen = { count: (earlier?.count ?? 0) + 1, first: earlier?.first ?? now, last: now };
    known[key] = seen;
    return { ...draft, message: legible(draft.message, maxMessageLength), id: `${key}/${seen.first}`, ...seen };
  });
  return { recent: known, records };
}

/** The recent Events without those of these records: as if they had never been. */
export function without(recent: Record<string, RecentEvent>, records: EventRecord[]): Record<string, RecentEvent> {
  const keys = new Set(records.map(({ id }) => id.slice(0, id.lastIndexOf('/'))));
  return Object.fromEntries(Object.entries(recent).filter(([key]) => !keys.has(key)));
}
