import { ApplicationFailure } from '@temporalio/activity';
import type { EventRecord } from '../domain/events.ts';
import type { ObjectRef } from '../domain/refs.ts';
import { EventBatch, type EventTools, maxFailures, waitAsked } from './event-batch.ts';
import type { KindAccess } from './kind-access.ts';
import { createPlaces } from './places.ts';

export interface RecordEventsOptions extends Omit<EventTools, 'places'> {
  kindAccess(kind: string): KindAccess;
}

/** The attempt that an activity is in. */
export interface Attempt {
  signal: AbortSignal;
  /** Milliseconds that it may take. */
  limitMs: number;
  /** 1 for the first one. */
  attempt: number;
}

/** What became of some Events. */
export interface Recorded {
  /** Positions of those that were not taken, and may be later; absent when there are none. */
  left?: number[];
}

/** Records Events; rejects when it would be in vain to go on and none was taken. */
export type RecordEvents = (
  kind: string,
  app: ObjectRef,
  records: EventRecord[],
  attempt: Attempt,
) => Promise<Recorded>;

/**
 * Writes of Events under way in this process, and half as many of one namespace: an API server that lets Events hang is not
 * to have hundreds of connections for nothing, and one that does so in one namespace leaves room for the others.
 */
const maxUnderWay = 16;
/** So much of an attempt's time is used; the rest is for telling what came of it. */
const usedShare = 2 / 3;

/** Each attempt begins elsewhere: a few that are refused again and again do not stand in the way of the others. */
function orderOf({ length }: EventRecord[], attempt: number): number[] {
  const first = ((attempt - 1) * maxFailures) % Math.max(1, length);
  return Array.from({ length }, (_, i) => (first + i) % length);
}

/** How long one of these failures, or one of the API server's own, asks to be waited for, in milliseconds. */
export function patienceAsked(error: unknown): number {
  const { nextRetryDelay } = error instanceof ApplicationFailure ? error : {};
  return typeof nextRetryDelay === 'number' ? nextRetryDelay : (waitAsked(error) ?? 0);
}

/** The failure of an attempt that none was taken in: it comes again when the API server asked it to. */
function failureOf(error: unknown): unknown {
  const ms = waitAsked(error);
  if (ms === undefined) return error;
  const message = error instanceof Error ? error.message : 'too many requests';
  return ApplicationFailure.create({ message, type: 'KubeError', nextRetryDelay: Math.max(1, ms) });
}

/**
 * By server-side apply under names of their own: recorded twice, each stands there once. What was taken is counted and
 * not written again, whatever becomes of the rest. An Event that the API server refuses for good (its namespace is
 * going, the right is lacking) is logged and let go.
 */
export const createRecordEvents = ({ kindAccess, ...tools }: RecordEventsOptions): RecordEvents => {
  const places = createPlaces(maxUnderWay);
  return async (kind, app, records, { signal, limitMs, attempt }) => {
    const usedMs = limitMs * usedShare;
    const ending = AbortSignal.any([signal, AbortSignal.timeout(usedMs)]);
    const target = { kind: kindAccess(kind), app, signal: ending, until: performance.now() + usedMs };
    const batch = new EventBatch({ ...tools, places }, target);
    const left = await batch.record(records, orderOf(records, attempt));
    if (left.length === 0) return {};
    if (left.length < records.length) return { left };
    throw failureOf(batch.error ?? ending.reason);
  };
};
