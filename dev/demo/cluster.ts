import type { CoreV1Event } from '@kubernetes/client-node';
import { type PodView, podView } from '../../src/activities/target-app/pod-view.ts';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import type { TargetAppStatus } from '../../src/api/target-app/status.ts';
import { createKube, type Kube, type KubeObject } from '../../src/clients/kubernetes/client.ts';
import { createInformer, type Informer } from '../../src/clients/kubernetes/informer/informer.ts';
import { pods as podRef } from '../../src/clients/kubernetes/pods.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { EventLog } from './event-log.ts';
import { appName, examplesNamespace, type Manifest } from './manifests.ts';

/** A TargetApp as the API server has it: without a status until the operator has looked at it. */
export type TargetAppObject = KubeObject & { status?: TargetAppStatus };

/** The demo's own look at the cluster; the operator has another one. */
export interface Cluster {
  kube: Kube;
  apps: Informer<TargetAppObject>;
  pods: Informer<PodView>;
  /** Applies manifests in this order; throws with the API server's words. */
  apply(manifests: Manifest[]): Promise<void>;
  /** The sample application's TargetApp, and its pods that can be asked, by name. */
  app(): TargetAppObject | undefined;
  runningPods(): (PodView & { ip: string })[];
  stop(): Promise<void>;
}

/** Every status of the sample application's TargetApp is a log entry. */
const watchApps = (kube: Kube, { record }: EventLog): Informer<TargetAppObject> =>
  createInformer({
    kube,
    ref: refOf(kinds.TargetApp),
    transform: (object) => object as TargetAppObject,
    onChange: (_, { metadata: { namespace, name: app }, status = {} }) => {
      if (namespace === examplesNamespace) return;
      const { phase = 'Pending', pods, state = {} } = status;
      record({ kind: 'status', app, phase, observed: pods?.observed ?? 0, state: state as Record<string, JsonObject> });
    },
  });

/** Events that regard a TargetApp are log entries, each time that their count goes up. */
const watchEvents = (kube: Kube, { record }: EventLog): Informer<KubeObject & CoreV1Event> =>
  createInformer({
    kube,
    ref: { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true },
    transform: (object) => object as KubeObject & CoreV1Event,
    onChange: (change, { involvedObject, type = '', reason = '', message = '', count = 1, related }, previous) => {
      const { kind, namespace = '', name: app = '' } = involvedObject;
      if (kind !== 'TargetApp' || namespace === examplesNamespace || change === 'deleted') return;
      if (previous?.count === count && previous.message === message) return;
      record({ kind: 'event', namespace, app, type, reason, message, count, pod: related?.name });
    },
  });

function watchPods(kube: Kube, { record }: EventLog, forget: (address: string) => void): Informer<PodView> {
  return createInformer({
    kube,
    ref: podRef,
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
