import { type StartingContainer, startupMsOf } from '../../clients/kubernetes/startup-probes.ts';
import type { KubeObject, OwnerReference } from '../../clients/kubernetes/types.ts';

/** What KCO keeps of a pod in its watch cache. Times are epoch milliseconds. */
export interface PodView {
  uid: string;
  name: string;
  namespace: string;
  labels: Record<string, string>;
  phase: string;
  /** Absent until the pod has an address. */
  ip?: string;
  /** TCP ports in the order of the containers; those of sidecars among the init containers come last. */
  ports: { name?: string; port: number }[];
  /** The port that is polled when nobody says which; absent where the container that would be polled declares none. */
  defaultPort?: number;
  /** The container that is meant when nobody says which: the annotated one, else the first. */
  defaultContainer?: string;
  /** Whether its deletion has begun. */
  terminating: boolean;
  /** The controller that would make another pod in its place; absent when nobody would. */
  owner?: Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>;
  /** The condition Ready, and since when; absent before the node has said anything. */
  ready?: { status: boolean; since?: number };
  createdAt?: number;
  /** When the default container was started, else the pod; absent before the node took it. */
  startedAt?: number;
  /** How long the startup probes of its containers allow them to take, in milliseconds; absent without one. */
  startupMs?: number;
}

interface Container extends StartingContainer {
  name: string;
  ports?: { name?: string; containerPort: number; protocol?: string }[];
}

interface Pod extends KubeObject {
  spec?: { containers?: Container[]; initContainers?: Container[] };
  status?: {
    phase?: string;
    podIP?: string;
    startTime?: string;
    conditions?: { type: string; status: string; lastTransitionTime?: string }[];
    containerStatuses?: { name: string; state?: { running?: { startedAt?: string } } }[];
  };
}

/** Which container is meant when nobody says which: `kubectl` goes by it, too. */
const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container';

/** Names of the containers in which something can be run, sidecars last. */
export const containersOf = (object: KubeObject): string[] => runningContainers(object as Pod).map(({ name }) => name);

const millis = (time: string | undefined): number | undefined => {
  const at = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(at) ? undefined : at;
};

/** Containers that run for as long as the pod does: those of the init containers that are sidecars come last. */
const runningContainers = ({ spec }: Pod): Container[] => [
  ...(spec?.containers ?? []),
  ...(spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
];

/** The ports on which something may answer HTTP. */
const portsOf = ({ ports = [] }: Container): PodView['ports'] =>
  ports
    .filter(({ protocol = 'TCP' }) => protocol === 'TCP')
    .map(({ name, containerPort }) => ({ ...(name !== undefined && { name }), port: containerPort }));

const ownerOf = ({ metadata }: Pod): PodView['owner'] => {
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller);
  if (owner === undefined) return undefined;
  const { apiVersion, kind, name, uid } = owner;
  return { apiVersion, kind, name, uid };
};

const readyOf = ({ status }: Pod): PodView['ready'] => {
  const found = status?.conditions?.find(({ type }) => type === 'Ready');
  return found && defined({ status: found.status === 'True', since: millis(found.lastTransitionTime) });
};

const startedAt = ({ status }: Pod, container: string | undefined): number | undefined => {
  const state = status?.containerStatuses?.find(({ name }) => name === container)?.state;
  return millis(state?.running?.startedAt) ?? millis(status?.startTime);
};

/** Without what is undefined: thousands of these are kept. */
const defined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;

/** Cuts a pod down to what is needed of it. */
export function podView(object: KubeObject): PodView {
  const pod = object as Pod;
  const { metadata, status } = pod;
  const containers = runningContainers(pod);
  const annotated = containers.find(({ name }) => name === metadata.annotations?.[defaultContainerAnnotation]);
  const ports = containers.flatMap(portsOf);
  const defaultContainer = (annotated ?? containers[0])?.name;
  return defined({
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    phase: status?.phase ?? 'Unknown',
    ip: status?.podIP,
    ports,
    // What an injected proxy declares is not the app's, so the container that is named stands by itself.
    defaultPort: (annotated === undefined ? ports : portsOf(annotated))[0]?.port,
    defaultContainer,
    terminating: metadata.deletionTimestamp !== undefined,
    owner: ownerOf(pod),
    ready: readyOf(pod),
    createdAt: millis(metadata.creationTimestamp),
    startedAt: startedAt(pod, defaultContainer),
    startupMs: startupMsOf(pod.spec ?? {}),
  });
}

/** Whether a pod counts as matched at all: neither finished nor on its way out. */
export const isAlive = (pod: PodView): boolean =>
  !pod.terminating && pod.phase !== 'Succeeded' && pod.phase !== 'Failed';

/** Whether a pod can be asked. */
export const isRunning = (pod: PodView): pod is PodView & { ip: string } =>
  isAlive(pod) && pod.phase === 'Running' && pod.ip !== undefined;
