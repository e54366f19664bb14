import { createHash } from 'node:crypto';
import type { Kube, ResourceRef } from '../clients/kube.ts';
import type { Log } from '../clients/log.ts';
import type { Metrics } from '../clients/metrics.ts';
import type { EventRecord } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import type { AppRef } from '../domain/observation.ts';
import { isFinal } from './is-final.ts';

export interface RecordEventsOptions {
  kube: Pick<Kube, 'applyEvent'>;
  /** The kind that the Events regard. */
  ref: ResourceRef;
  metrics: Pick<Metrics, 'eventGenerated' | 'failed'>;
  log: Log;
  /** Name of this process, as `reportingInstance`. */
  instance: string;
}

/** Kubernetes keeps times of core Events to the second. */
const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** The object's name: the same for the same Event of the same TargetApp, so that recording it again changes it. */
const nameOf = (app: AppRef, id: string): string =>
  `${app.name.slice(0, 200)}.${createHash('sha256').update(`${app.uid}/${id}`).digest('hex').slice(0, 16)}`;

function eventObject(
  app: AppRef,
  { apiVersion, kind }: ResourceRef,
  record: EventRecord,
  instance: string,
): JsonObject {
  const { namespace, name, uid } = app;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: nameOf(app, record.id), namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid },
    ...(record.pod && {
      related: { apiVersion: 'v1', kind: 'Pod', namespace, name: record.pod.name, uid: record.pod.uid },
    }),
    reason: record.reason,
    type: record.type,
    // A lone surrogate is not text that the API server takes.
    message: record.message.toWellFormed(),
    count: record.count,
    firstTimestamp: seconds(record.first),
    lastTimestamp: seconds(record.last),
    action: record.reason,
    source: { component: 'kco' },
    reportingComponent: 'kco',
    reportingInstance: instance,
  };
}

/**
 * Records Events by server-side apply under names of their own: recorded twice, each stands there once. An Event that
 * the API server refuses for good (its namespace is going, the right is lacking) is logged and let go.
 */
export const createRecordEvents =
  ({ kube, ref, metrics, log, instance }: RecordEventsOptions) =>
  async (app: AppRef, records: EventRecord[]): Promise<void> => {
    for (const record of records) {
      try {
        await kube.applyEvent(eventObject(app, ref, record, instance));
        metrics.eventGenerated(record);
      } catch (error) {
        if (!isFinal(error)) throw error;
        metrics.failed({ category: 'kubernetes' });
        log.error('event refused', { namespace: app.namespace, tapp: app.name, reason: record.reason, error });
      }
    }
  };
