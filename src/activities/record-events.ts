import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import { type Kube, KubeError, type ResourceRef } from '../clients/kubernetes/client.ts';
import { isPermanent } from '../clients/kubernetes/is-permanent.ts';
import type { EventRecord } from '../domain/events.ts';
import type { ObjectRef } from '../domain/refs.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/operator.ts';
import { eventObject } from './event-object.ts';
import { createPlaces } from './places.ts';

export interface RecordEventsOptions {
  kube: Pick<Kube, 'applyEvent'>;
  /** How objects of a kind are reached. */
  refOf(kind: string): ResourceRef;
  metrics: Pick<Metrics, 'eventGenerated' | 'eventsDropped' | 'failed'>;
  log: Log;
  /** Name of this process, as `reportingInstance`. */
  instance: string;
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
/** Of one TargetApp. */
const lanes = 4;
/** So much of an attempt's time is used; the rest is for telling what came of it. */
const usedShare = 2 / 3;
/** After so many failures in a row, none taken, the others are left to the next attempt, which begins with them. */
const maxFailures = 3;
const maxWaits = 3;

const waitAsked = (error: unknown): number | undefined => (error instanceof KubeError ? error.retryAfterMs : undefined);

/** One activity's worth of Events, and how far it has come. */
interface Batch {
  /** The kind that the Events regard. */
  ref: ResourceRef;
  app: ObjectRef;
  signal: AbortSignal;
  /** `performance.now()` at which it has to be over. */
  until: number;
  /** The same, before which the API server does not want to be asked again. */
  resumeAt: number;
  taken: number;
  failures: number;
  error: unknown;
}

export const createRecordEvents = ({ kube, refOf, metrics, log, instance }: RecordEventsOptions): RecordEvents => {
  const places = createPlaces(maxUnderWay);

  /** Waits as long as the API server asked to; false when that is longer than there is time. */
  const waited = async (batch: Batch): Promise<boolean> => {
    if (batch.resumeAt >= batch.until) return false;
    const ms = batch.resumeAt - performance.now();
    if (ms > 0) await sleep(ms, undefined, { signal: batch.signal });
    return true;
  };

  /** Applies one Event; asked to come back later, it does, if there is time for it. */
  const apply = async (batch: Batch, record: EventRecord): Promise<void> => {
    const { signal } = batch;
    const body = eventObject(batch.app, batch.ref, record, instance);
    for (let waits = 0; ; waits += 1) {
      try {
        return await places(batch.app.namespace, () => kube.applyEvent(body, { signal }), signal);
      } catch (error) {
        const ms = waitAsked(error);
        if (ms === undefined || waits === maxWaits) throw error;
        batch.resumeAt = Math.max(batch.resumeAt, performance.now() + ms);
        if (!(await waited(batch))) throw error;
      }
    }
  };

  /** Whether an Event is done with: taken, or refused for good. */
  const isDone = async (batch: Batch, record: EventRecord): Promise<boolean> => {
    try {
      if (!(await waited(batch))) return false;
      await apply(batch, record);
      batch.taken += 1;
      metrics.eventGenerated(record);
      return true;
    } catch (error) {
      if (isPermanent(error)) {
        metrics.failed({ category: 'kubernetes' });
        metrics.eventsDropped({ reason: 'Refused', count: 1 });
        const { namespace, name } = batch.app;
        log.error('event rejected', { namespace, tapp: name, reason: record.reason, error });
        return true;
      }
      if (!batch.signal.aborted) batch.error = error;
      batch.failures += 1;
      return false;
    }
  };

  const isInVain = ({ signal, taken, failures }: Batch): boolean =>
    signal.aborted || (taken === 0 && failures >= maxFailures);

  /**
   * By server-side apply under names of their own: recorded twice, each stands there once. What was taken is counted and
   * not written again, whatever becomes of the rest. An Event that the API server refuses for good (its namespace is
   * going, the right is lacking) is logged and let go.
   */
  return async (kind, app, records, { signal, limitMs, attempt }) => {
    const usedMs = limitMs * usedShare;
    const ending = AbortSignal.any([signal, AbortSignal.timeout(usedMs)]);
    const until = performance.now() + usedMs;
    const batch: Batch = {
      ref: refOf(kind),
      app,
      signal: ending,
      until,
      resumeAt: 0,
      taken: 0,
      failures: 0,
      error: undefined,
    };
    // Each attempt begins elsewhere: a few that are refused again and again do not stand in the way of the others.
    const begin = ((attempt - 1) * maxFailures) % Math.max(1, records.length);
    const order = records.map((_, i) => (begin + i) % records.length);
    const left: number[] = [];
    const lane = async (): Promise<void> => {
      for (let at = order.shift(); at !== undefined; at = order.shift()) {
        const record = records[at];
        if (record !== undefined && (isInVain(batch) || !(await isDone(batch, record)))) left.push(at);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    if (left.length === 0) return {};
    if (left.length < records.length) return { left: left.toSorted((a, b) => a - b) };
    const ms = waitAsked(batch.error);
    if (ms === undefined) throw batch.error ?? ending.reason;
    const message = batch.error instanceof Error ? batch.error.message : 'too many requests';
    throw ApplicationFailure.create({ message, type: 'KubeError', nextRetryDelay: Math.max(1, ms) });
  };
};
