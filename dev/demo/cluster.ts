import { type PodView, podView } from '../../src/activities/target-app/pod-view.ts';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import { createKube, type Kube, type KubeObject, type ResourceRef } from '../../src/clients/kubernetes/client.ts';
import { createInformer, type Informer } from '../../src/clients/kubernetes/informer/informer.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { EventLog } from './event-log.ts';
import { appName, examplesNamespace, type Manifest } from './manifests.ts';

/** A TargetApp as the demo looks at it. */
export interface AppView {
  namespace: string;
  name: string;
  uid: string;
  intervalMs: number;
  phase: string;
  matched: number;
  observed: number;
  /** What each pod said at the last poll: by pod, then by path. */
  state: Record<string, JsonObject>;
  workflow?: { id: string; runId: string; url?: string };
}

/** The demo's own look at the cluster; the operator has another one. */
export interface Cluster {
  kube: Kube;
  apps: Informer<AppView>;
  pods: Informer<PodView>;
  /** Applies manifests in this order; throws with the API server's words. */
  apply(manifests: Manifest[]): Promise<void>;
  /** The sample application's TargetApp, and its pods that can be asked, by name. */
  app(): AppView | undefined;
  runningPods(): (PodView & { ip: string })[];
  stop(): Promise<void>;
}

interface TargetAppObject extends KubeObject {
  spec: { pollingInterval?: number };
  status?: {
    phase?: string;
    pods?: { matched: number; observed: number };
    workflow?: AppView['workflow'];
    state?: Record<string, JsonObject>;
  };
}

interface EventObject extends KubeObject {
  involvedObject: { kind: string; namespace?: string; name: string };
  related?: { name: string };
  type: string;
  reason: string;
  message: string;
  count?: number;
}

const ref = (apiVersion: string, kind: string, plural: string, namespaced = true): ResourceRef => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

const targetApps = refOf(kinds.TargetApp);

function appView(object: KubeObject): AppView {
  const { metadata, spec, status } = object as TargetAppObject;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid,
    intervalMs: (spec.pollingInterval ?? 30) * 1000,
    phase: status?.phase ?? 'Pending',
    matched: status?.pods?.matched ?? 0,
    observed: status?.pods?.observed ?? 0,
    state: status?.state ?? {},
    workflow: status?.workflow,
  };
}

/** Every status of the sample application's TargetApp is a log entry. */
const watchApps = (kube: Kube, { record }: EventLog): Informer<AppView> =>
  createInformer({
    kube,
    ref: targetApps,
    transform: appView,
    onChange: (_, { namespace, name, phase, observed, state }) => {
      if (namespace !== examplesNamespace) record({ kind: 'status', app: name, phase, observed, state });
    },
  });

/** Events that regard a TargetApp are log entries, each time that their count goes up. */
const watchEvents = (kube: Kube, { record }: EventLog): Informer<EventObject> =>
  createInformer({
    kube,
    ref: ref('v1', 'Event', 'events'),
    transform: (object) => object as EventObject,
    onChange: (change, { involvedObject, type, reason, message, count = 1, related }, previous) => {
      const { kind, namespace = '', name: app } = involvedObject;
      if (kind !== 'TargetApp' || namespace === examplesNamespace || change === 'deleted') return;
      if (previous?.count === count && previous.message === message) return;
      record({ kind: 'event', namespace, app, type, reason, message, count, pod: related?.name });
    },
  });

function watchPods(kube: Kube, { record }: EventLog, forget: (address: string) => void): Informer<PodView> {
  return createInformer({
    kube,
    ref: ref('v1', 'Pod', 'pods'),
    namespaces: ['default'],
    labelSelector: `app=${appName}`,
    transform: podView,
    onChange: (change, { name, uid, ip, terminating, phase }, previous) => {
      const told = (what: 'runs' | 'stops' | 'gone') => record({ kind: 'pod', change: what, name, uid });
      if (change !== 'deleted' && terminating && !previous?.terminating) told('stops');
      // Addresses are used again: whoever has one next is another instance of the application.
      if (ip !== undefined && (change === 'deleted' || previous?.ip !== ip)) forget(ip);
      if (change === 'deleted') told('gone');
      else if (phase === 'Running' && previous?.phase !== 'Running') told('runs');
    },
  });
}

/** Opens the view; `forget` is called with the address of each pod that comes or goes. */
export function createCluster(kubeconfig: string, log: EventLog, forget: (address: string) => void): Cluster {
  const kube = createKube({ kubeconfig });
  const apps = watchApps(kube, log);
  const pods = watchPods(kube, log, forget);
  const caches = [apps, pods, watchEvents(kube, log)];
  for (const cache of caches) cache.start();
  return {
    kube,
    apps,
    pods,
    async apply(manifests) {
      for (const body of manifests) {
        const { apiVersion, kind, metadata } = body;
        const found = await kube.discover(apiVersion, kind);
        if (found === undefined) throw new Error(`the API server does not serve ${apiVersion} ${kind}`);
        await kube.patch(found, metadata, { type: 'apply', body, fieldManager: 'kco-demo', force: true });
      }
    },
    app: () => apps.get('default', appName),
    runningPods: () =>
      pods
        .list()
        .filter((pod): pod is PodView & { ip: string } => !pod.terminating && pod.ip !== undefined)
        .sort((a, b) => a.name.localeCompare(b.name)),
    async stop() {
      await Promise.all(caches.map((cache) => cache.stop()));
      await kube.close();
    },
  };
}
