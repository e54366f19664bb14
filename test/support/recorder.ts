import type { Kube, KubeObject, ResourceRef } from '../../src/clients/kubernetes/client.ts';
import { createInformer, type WatchEventType } from '../../src/clients/kubernetes/informer/informer.ts';

/** A pod as the stories look at it. */
export interface RecordedPod extends KubeObject {
  status?: { phase?: string; podIP?: string };
}

/** A core Event. */
export interface RecordedEvent extends KubeObject {
  involvedObject: { kind: string; name: string; uid: string; namespace: string };
  related?: { kind: string; name: string; uid: string };
  reason: string;
  type: 'Normal' | 'Warning';
  message: string;
  count: number;
}

/** A TargetApp. */
export interface RecordedApp extends KubeObject {
  metadata: KubeObject['metadata'] & { managedFields?: { subresource?: string; time: string }[] };
  spec: Record<string, unknown>;
  status?: {
    observedGeneration?: number;
    phase?: string;
    conditions?: { type: string; status: string; reason: string; message: string }[];
    pods?: { matched: number; observed: number; unreachable: number; failing: number };
    state?: Record<string, Record<string, unknown>>;
    lastPoll?: string;
    lastChange?: string;
    pollRequestedAt?: string;
    rules?: {
      name: string;
      activeSince?: string;
      lastFired?: string;
      lastOutcome?: { status: string; reason: string; message: string; actionId: string };
      lastSuppression?: { reason: string; message: string };
      waiting?: { actionId: string; reason: string; notBefore?: string }[];
      episodes?: { subject: string; since: number; firedAt?: number }[];
    }[];
    workflow?: { id: string; runId: string };
  };
}

/** One change as it was told by the API server. */
export interface Entry<T extends KubeObject> {
  /** Epoch milliseconds of its arrival here. */
  at: number;
  type: WatchEventType;
  object: T;
}

/** What happened in the cluster, in the order in which it was told, with the times of its arrival. */
export interface Recorder {
  pods: Entry<RecordedPod>[];
  events: Entry<RecordedEvent>[];
  apps: Entry<RecordedApp>[];
  /** What there is now. */
  present: { pods(): RecordedPod[]; events(): RecordedEvent[]; apps(): RecordedApp[] };
  /** Called at every change of a pod; returns the end of it. */
  onPod(listener: (entry: Entry<RecordedPod>) => void): () => void;
  stop(): Promise<void>;
}

const podRef: ResourceRef = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const eventRef: ResourceRef = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };

/** Watches pods, Events and TargetApps from now on. */
export async function startRecorder(kube: Kube, appRef: ResourceRef): Promise<Recorder> {
  const listeners = new Set<(entry: Entry<RecordedPod>) => void>();
  const watched = <T extends KubeObject>(ref: ResourceRef, told?: (entry: Entry<T>) => void) => {
    const entries: Entry<T>[] = [];
    const cache = createInformer<T>({
      kube,
      ref,
      transform: (object) => object as T,
      // An API server that a story takes away is back within seconds.
      timing: { backoffMs: 200, backoffCapMs: 1_000 },
      onChange: (type, object) => {
        const entry = { at: Date.now(), type, object };
        entries.push(entry);
        told?.(entry);
      },
    });
    cache.start();
    return { entries, cache };
  };
  const pods = watched<RecordedPod>(podRef, (entry) => {
    for (const listener of listeners) listener(entry);
  });
  const events = watched<RecordedEvent>(eventRef);
  const apps = watched<RecordedApp>(appRef);
  const caches = [pods.cache, events.cache, apps.cache];
  await Promise.all(caches.map(({ synced }) => synced));
  return {
    pods: pods.entries,
    events: events.entries,
    apps: apps.entries,
    present: { pods: () => pods.cache.list(), events: () => events.cache.list(), apps: () => apps.cache.list() },
    onPod(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => void (await Promise.all(caches.map((cache) => cache.stop()))),
  };
}
