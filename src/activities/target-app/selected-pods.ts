import type { Kube, KubeObject } from '../../clients/kubernetes/client.ts';
import { pods as podRef } from '../../clients/kubernetes/pods.ts';
import type { PodRef } from '../../domain/refs.ts';
import { isSelected, type LabelSelector } from '../../domain/selector.ts';
import type { WatchedPods } from './pod-index.ts';

export interface SelectedPodsOptions {
  pods: Pick<WatchedPods, 'find'>;
  kube: Pick<Kube, 'get'>;
}

/** Pods that a request may name: the selector decides that, not the request. */
export type SelectedPods = (
  wanted: { namespace: string; selector: LabelSelector; pods: readonly PodRef[] },
  signal: AbortSignal,
) => Promise<PodRef[]>;

/**
 * Those of the named pods that the selector selects now, and those that are gone: whatever is done to them carries their
 * uid and finds nothing. A pod without a uid is nobody's.
 */
export const createSelectedPods =
  ({ pods, kube }: SelectedPodsOptions): SelectedPods =>
  async ({ namespace, selector, pods: named }, signal) => {
    const isAllowed = async ({ uid, name }: PodRef): Promise<boolean> => {
      if (typeof uid !== 'string' || uid === '') return false;
      const known = pods.find(namespace, uid);
      if (known !== undefined) return known.name === name && isSelected(selector, known.labels);
      const found = await kube.get<KubeObject>(podRef, { namespace, name }, { signal });
      return found?.metadata.uid !== uid || isSelected(selector, found.metadata.labels ?? {});
    };
    const kept: PodRef[] = [];
    for (const pod of named) if (await isAllowed(pod)) kept.push(pod);
    return kept;
  };
