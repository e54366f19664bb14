import { createHash } from 'node:crypto';
import type { ResourceRef } from '../clients/kubernetes/client.ts';
import type { EventRecord } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ObjectRef } from '../domain/refs.ts';

/** Kubernetes keeps times of core Events to the second. */
const seconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** The object's name: the same for the same Event of the same TargetApp, so that recording it again changes it. */
function nameOf(app: ObjectRef, id: string): string {
  const digest = createHash('sha256').update(`${app.uid}/${id}`).digest('hex').slice(0, 16);
  // Cut, because a name has at most 253 characters; and what it ends in must not be what no part of a name may end in.
  return `${app.name.slice(0, 200).replace(/[-.]+$/, '')}.${digest}`;
}

/** An Event as the API server takes it. */
export const eventObject = (
  app: ObjectRef,
  { apiVersion, kind }: ResourceRef,
  record: EventRecord,
  instance: string,
): JsonObject => {
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
};
