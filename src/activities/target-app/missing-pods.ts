import { type Kube, KubeError, type KubeObject } from '../../clients/kubernetes/client.ts';
import { selectorText } from '../../clients/kubernetes/label-selector.ts';
import { pods } from '../../clients/kubernetes/pods.ts';
import type { LabelSelector } from '../../domain/selector.ts';
import { type PodView, podView } from './pod-view.ts';

/** Which pods are looked for. */
export interface MissingPodsQuery {
  namespace: string;
  selector: LabelSelector;
  /** Known to a workflow, and not to this replica's watch. */
  uids: readonly string[];
}

/**
 * Those of the pods that the API server has and that are still selected; undefined when it does not say. A watch may be
 * late or stalled on one of several replicas, and a pod that was taken for gone would come back as another one, on which
 * the same episode fires again.
 */
export type MissingPods = (wanted: MissingPodsQuery, signal: AbortSignal) => Promise<PodView[] | undefined>;

/** Fits into what a look may take beside its queries. */
const patienceMs = 2_000;

/** One LIST, however many pods are missing: the API server cannot be asked for a uid. */
export const createMissingPods =
  (kube: Pick<Kube, 'list'>): MissingPods =>
  async ({ namespace, selector, uids }, signal) => {
    try {
      const { items } = await kube.list<KubeObject>(pods, {
        namespace,
        labelSelector: selectorText(selector),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
      });
      return items.filter(({ metadata }) => uids.includes(metadata.uid)).map(podView);
    } catch (error) {
      if (error instanceof KubeError) return undefined;
      throw error;
    }
  };
