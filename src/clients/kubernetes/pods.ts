import { hasStatus, isGone, KubeError, messageOf } from './errors.ts';
import { objectPath } from './paths.ts';
import { deleteOptionsBody, type Requests } from './requests.ts';
import type { EvictResult, Kube, KubeObject, ObjectKey, OwnerReference, ResourceRef, ScaleTarget } from './types.ts';

/** Kubernetes' own types that actions work on. */
export const pods: ResourceRef = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
export const horizontalPodAutoscalers: ResourceRef = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
};
export const disruptionBudgets: ResourceRef = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};
const replicaSets: ResourceRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet', plural: 'replicasets', namespaced: true };

const scalable: Record<ScaleTarget['kind'], ResourceRef> = {
  Deployment: { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true },
  StatefulSet: { apiVersion: 'apps/v1', kind: 'StatefulSet', plural: 'statefulsets', namespaced: true },
};

interface ScaleObject extends KubeObject {
  spec?: { replicas?: number };
}

/** The controller of an object; the others of its owners do not look after it. */
export const controllerOf = (object: Pick<KubeObject, 'metadata'> | undefined): OwnerReference | undefined =>
  object?.metadata.ownerReferences?.find((owner) => owner.controller);

type ObjectCalls = Pick<Kube, 'delete' | 'get' | 'patch'>;

const createEvict =
  (requests: Requests): Kube['evictPod'] =>
  async (pod, { signal, ...options } = {}): Promise<EvictResult> => {
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { namespace: pod.namespace, name: pod.name },
      deleteOptions: deleteOptionsBody(options),
    };
    try {
      await requests.send({ method: 'POST', path: objectPath(pods, pod, 'eviction'), body, signal });
      return { result: 'deleted' };
    } catch (error) {
      if (isGone(error) || (hasStatus(error, 409) && options.uid !== undefined)) return { result: 'gone' };
      // A 429 of the server's own load carries no such cause, and is an error like any other.
      const causes = hasStatus(error, 429) ? (error.details?.causes ?? []) : [];
      const budgets = causes.filter(({ reason }) => reason === 'DisruptionBudget');
      if (!(error instanceof KubeError) || budgets.length === 0) throw error;
      // The cause names the budget; the message does not.
      const message = messageOf(budgets.map((cause) => cause.message ?? error.message).join('; '));
      return { result: 'blocked', message, retryAfterMs: error.retryAfterMs };
    }
  };

const createOwnerOfPod =
  (get: Kube['get']): Kube['ownerOfPod'] =>
  async (pod, options) => {
    const owner = controllerOf(await get(pods, pod, options));
    if (owner?.kind !== 'ReplicaSet' || owner.apiVersion !== replicaSets.apiVersion) return owner;
    const above = controllerOf(await get(replicaSets, { namespace: pod.namespace, name: owner.name }, options));
    return above ?? owner;
  };

/** The operations on pods and on what runs them. */
export const createPodCalls = (
  requests: Requests,
  objects: ObjectCalls,
): Pick<Kube, 'deletePod' | 'evictPod' | 'getScale' | 'ownerOfPod' | 'setScale'> => ({
  deletePod: (pod, options) => objects.delete(pods, pod, options),
  evictPod: createEvict(requests),
  ownerOfPod: createOwnerOfPod(objects.get),

  getScale: async ({ kind, ...key }, { signal } = {}) => {
    try {
      const path = objectPath(scalable[kind], key, 'scale');
      const { metadata, spec } = await requests.send<ScaleObject>({ method: 'GET', path, signal });
      return { replicas: spec?.replicas ?? 0, resourceVersion: metadata.resourceVersion };
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  },

  setScale: async ({ kind, ...key }: ScaleTarget, { replicas, resourceVersion }, options = {}) => {
    const body = { metadata: { resourceVersion }, spec: { replicas } };
    const patch = { type: 'merge', body, fieldManager: 'kco-action' } as const;
    const scale: ScaleObject = await objects.patch(scalable[kind], key satisfies ObjectKey, patch, {
      ...options,
      subresource: 'scale',
    });
    return scale.spec?.replicas ?? 0;
  },
});
