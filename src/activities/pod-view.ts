import type { KubeObject } from '../clients/kube-types.ts';

/** What KCO keeps of a pod in its watch cache. */
export interface PodView {
  uid: string;
  name: string;
  namespace: string;
  labels: Record<string, string>;
  phase: string;
  /** Absent until the pod has an address. */
  ip?: string;
  /** Container ports in the order of the containers. */
  ports: { name?: string; port: number }[];
  /** Whether its deletion has begun. */
  terminating: boolean;
}

interface Pod extends KubeObject {
  spec?: { containers?: { ports?: { name?: string; containerPort: number }[] }[] };
  status?: { phase?: string; podIP?: string };
}

/** Cuts a pod down to what is needed of it. */
export function podView(object: KubeObject): PodView {
  const { metadata, spec, status } = object as Pod;
  const view: PodView = {
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    phase: status?.phase ?? 'Unknown',
    ports: (spec?.containers ?? []).flatMap(({ ports = [] }) =>
      ports.map(({ name, containerPort }) => ({ name, port: containerPort })),
    ),
    terminating: metadata.deletionTimestamp !== undefined,
  };
  return status?.podIP === undefined ? view : { ...view, ip: status.podIP };
}

/** Whether a pod counts as matched at all: neither finished nor on its way out. */
export const isAlive = (pod: PodView): boolean =>
  !pod.terminating && pod.phase !== 'Succeeded' && pod.phase !== 'Failed';

/** Whether a pod can be asked. */
export const isRunning = (pod: PodView): pod is PodView & { ip: string } =>
  isAlive(pod) && pod.phase === 'Running' && pod.ip !== undefined;
