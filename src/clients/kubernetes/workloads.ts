import type { LabelSelector } from '../../domain/selector.ts';
import type { PodLife, Workload } from '../../domain/workload.ts';
import { hasStatus } from './errors.ts';
import { selectorText } from './label-selector.ts';
import { groupOf } from './paths.ts';
import { controllerOf, pods } from './pods.ts';
import { type StartingPod, startupMsOf } from './startup-probes.ts';
import type { CallOptions, Kube, KubeObject, OwnerReference, ResourceRef, ScaleTarget } from './types.ts';

interface Condition {
  type: string;
  status: string;
  reason?: string;
  lastTransitionTime?: string;
}

/** The parts of a pod that KCO's actions read. */
export interface PodObject extends KubeObject {
  spec?: StartingPod;
  status?: {
    phase?: string;
    startTime?: string;
    conditions?: Condition[];
    containerStatuses?: { restartCount?: number; state?: { running?: { startedAt?: string } } }[];
  };
}

const timeOf = (text: string | undefined): number => Date.parse(text ?? '');
/** Times have whole seconds, and a kubelet tells that a pod is not Ready as soon as it tells of it at all. */
const atOnceMs = 2_000;

/** Where a container was started again, only the start of the pod is known. */
function startOf({ startTime, containerStatuses = [] }: NonNullable<PodObject['status']>, createdAt: number): number {
  const start = startTime === undefined ? createdAt : timeOf(startTime);
  const again = containerStatuses.some(({ restartCount = 0 }) => restartCount > 0);
  const starts = again ? [] : containerStatuses.map(({ state }) => timeOf(state?.running?.startedAt));
  return Math.max(start, ...starts.filter((time) => !Number.isNaN(time)));
}

/** A pod as far as a restart depends on it. */
export function podLife({ metadata, spec = {}, status = {} }: PodObject): PodLife {
  const createdAt = timeOf(metadata.creationTimestamp);
  const said = status.conditions?.find(({ type }) => type === 'Ready');
  const ready = said?.status === 'True';
  const readySince = said?.lastTransitionTime === undefined ? createdAt : timeOf(said.lastTransitionTime);
  const firstSaid = status.startTime === undefined ? createdAt : timeOf(status.startTime);
  const startupMs = startupMsOf(spec);
  const isFinished = status.phase === 'Succeeded' || status.phase === 'Failed';
  return {
    uid: metadata.uid,
    name: metadata.name,
    createdAt,
    startedAt: startOf(status, createdAt),
    running: status.phase === 'Running',
    ready,
    wasReady: ready || (said !== undefined && readySince - firstSaid > atOnceMs),
    readySince,
    alive: !isFinished && metadata.deletionTimestamp === undefined,
    ...(metadata.deletionTimestamp !== undefined && { deletedAt: timeOf(metadata.deletionTimestamp) }),
    ...(startupMs !== undefined && { startupMs }),
  };
}

/** The parts that KCO reads of what makes pods. */
interface Owner extends KubeObject {
  spec?: {
    replicas?: number;
    paused?: boolean;
    suspend?: boolean;
    backoffLimit?: number;
    selector?: LabelSelector | Record<string, string>;
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    desiredNumberScheduled?: number;
    failed?: number;
    conditions?: Condition[];
  };
}

type Told = Pick<Workload, 'desired' | 'noReplacement' | 'rollout'>;

const has = ({ status }: Owner, type: string, value: string, reason?: string): boolean =>
  status?.conditions?.some(
    (condition) =>
      condition.type === type && condition.status === value && (reason ?? condition.reason) === condition.reason,
  ) ?? false;

/** What of a Deployment's pods is being replaced. One that is paused, or that did not get on in time, stays as it is. */
function rolloutOf(owner: Owner): string | undefined {
  const { metadata, spec, status = {} } = owner;
  if (spec?.paused || has(owner, 'Progressing', 'False', 'ProgressDeadlineExceeded')) return undefined;
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return 'was changed a moment ago';
  const { replicas = 0, updatedReplicas = 0 } = status;
  return replicas > updatedReplicas
    ? `is being rolled out: ${replicas - updatedReplicas} of ${replicas} pods are of an older version`
    : undefined;
}

const replicated = ({ spec }: Owner): Told => ({
  desired: spec?.replicas ?? 1,
  ...(spec?.replicas === 0 && { noReplacement: 'is scaled to 0 replicas' }),
});

function jobTold(owner: Owner): Told {
  const { spec = {}, status = {} } = owner;
  const { backoffLimit = 6 } = spec;
  if (['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet'].some((type) => has(owner, type, 'True')))
    return { noReplacement: 'is finished' };
  if (spec.suspend) return { noReplacement: 'is suspended' };
  if ((status.failed ?? 0) >= backoffLimit)
    return { noReplacement: `would fail: its backoffLimit allows ${backoffLimit} lost pods, and a deleted one counts` };
  return {};
}

/** A kind that makes pods: how it is reached, and what it says of them. */
interface Maker {
  ref: ResourceRef;
  told(owner: Owner): Told;
}

const maker = (apiVersion: string, kind: string, plural: string, told: Maker['told']): Maker => ({
  ref: { apiVersion, kind, plural, namespaced: true },
  told,
});

const makers: readonly Maker[] = [
  maker('apps/v1', 'DaemonSet', 'daemonsets', ({ status }) => ({ desired: status?.desiredNumberScheduled ?? 0 })),
  maker('apps/v1', 'Deployment', 'deployments', (owner) => {
    const rollout = rolloutOf(owner);
    return { ...replicated(owner), ...(rollout !== undefined && { rollout }) };
  }),
  maker('apps/v1', 'ReplicaSet', 'replicasets', replicated),
  maker('apps/v1', 'StatefulSet', 'statefulsets', replicated),
  maker('batch/v1', 'Job', 'jobs', jobTold),
  maker('v1', 'ReplicationController', 'replicationcontrollers', replicated),
];

const makerOf = ({ apiVersion, kind }: OwnerReference): Maker | undefined =>
  makers.find(({ ref }) => ref.kind === kind && groupOf(ref.apiVersion) === groupOf(apiVersion));

/** What is known of what stands behind a pod, and of all its pods. */
export interface LookedAt {
  workload: Workload;
  pods: PodLife[];
  /** A kind that the operator may not read, e.g. `replicasets`: what it says of its pods is then not known. */
  unread?: string;
}

export interface Looking extends CallOptions {
  namespace: string;
  /** Finds the pods of what has no selector that KCO knows. */
  selector: LabelSelector;
}

type WorkloadKube = Pick<Kube, 'get' | 'list'>;

const nameOf = ({ kind, name }: OwnerReference): string => `${kind} ${name}`;

/** An owner as it is now: `unread` where the operator may not look, `gone` where the name is free or another's. */
async function readOwner(
  kube: WorkloadKube,
  { namespace, signal }: Looking,
  reference: OwnerReference,
  { ref }: Maker,
): Promise<Owner | 'gone' | 'unread'> {
  try {
    const found = await kube.get<Owner>(ref, { namespace, name: reference.name }, { signal });
    return found?.metadata.uid === reference.uid ? found : 'gone';
  } catch (error) {
    if (hasStatus(error, 403)) return 'unread';
    throw error;
  }
}

/** What stands behind a reference, up to the Deployment behind a ReplicaSet. */
async function workloadOf(
  kube: WorkloadKube,
  looking: Looking,
  reference: OwnerReference,
): Promise<{ workload: Workload; owner?: Owner; unread?: string }> {
  const plain: Workload = { name: nameOf(reference), uid: reference.uid };
  if (reference.kind === 'Node')
    return {
      workload: { ...plain, noReplacement: 'runs it by itself: it is a static pod, and deleting it restarts nothing' },
    };
  const known = makerOf(reference);
  if (known === undefined) return { workload: plain };
  const owner = await readOwner(kube, looking, reference, known);
  if (owner === 'unread') return { workload: plain, unread: known.ref.plural };
  if (owner === 'gone') return { workload: { ...plain, noReplacement: 'is gone' } };
  if (owner.metadata.deletionTimestamp !== undefined)
    return { workload: { ...plain, noReplacement: 'is being deleted' } };
  const above = controllerOf(owner);
  // Of those above only a Deployment says how many pods there are to be; a CronJob says nothing of a Job's.
  if (above?.kind === 'Deployment') {
    const higher = await workloadOf(kube, looking, above);
    if (higher.unread === undefined) return higher;
    return { workload: { ...plain, ...known.told(owner) }, owner, unread: higher.unread };
  }
  return { workload: { ...plain, ...known.told(owner) }, owner };
}

const isLabelSelector = (selector: LabelSelector | Record<string, string>): selector is LabelSelector =>
  'matchLabels' in selector || 'matchExpressions' in selector;

/** Of a ReplicationController it is a plain map. */
const selectorOf = ({ spec }: Owner): LabelSelector | undefined => {
  const { selector } = spec ?? {};
  return selector === undefined || isLabelSelector(selector) ? selector : { matchLabels: selector };
};

/** Looks at what stands behind a pod and at all its pods, as they are now; undefined for a pod without a controller. */
export async function lookAtWorkload(
  kube: WorkloadKube,
  pod: Pick<KubeObject, 'metadata'>,
  looking: Looking,
): Promise<LookedAt | undefined> {
  const reference = controllerOf(pod);
  return reference && lookAtOwner(kube, reference, looking);
}

/** The same by the reference, which outlives the pod. */
export async function lookAtOwner(kube: WorkloadKube, reference: OwnerReference, looking: Looking): Promise<LookedAt> {
  const { workload, owner, unread } = await workloadOf(kube, looking, reference);
  const selector = (owner && selectorOf(owner)) ?? looking.selector;
  const { namespace, signal } = looking;
  const { items } = await kube.list<PodObject>(pods, { namespace, labelSelector: selectorText(selector), signal });
  // A Deployment's pods belong to its ReplicaSets, of which there may be several.
  const isMember = (controller: OwnerReference | undefined): boolean =>
    workload.uid === reference.uid ? controller?.uid === reference.uid : controller?.kind === reference.kind;
  return {
    workload,
    pods: items.filter((item) => isMember(controllerOf(item))).map(podLife),
    ...(unread !== undefined && { unread }),
  };
}

/** Of what is scaled by hand: what else is being done to it. Undefined where the operator may not look. */
export async function lookAtScaled(
  kube: WorkloadKube,
  { kind, namespace, name }: ScaleTarget,
  { signal }: CallOptions,
): Promise<{ isBeingDeleted: boolean; rollout?: string } | undefined> {
  const known = makers.find(({ ref }) => ref.kind === kind);
  if (known === undefined) return undefined;
  try {
    const owner = await kube.get<Owner>(known.ref, { namespace, name }, { signal });
    if (owner === undefined) return undefined;
    const { rollout } = known.told(owner);
    const isBeingDeleted = owner.metadata.deletionTimestamp !== undefined;
    return { isBeingDeleted, ...(rollout !== undefined && { rollout }) };
  } catch (error) {
    if (hasStatus(error, 403)) return undefined;
    throw error;
  }
}
