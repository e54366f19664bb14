import { hasStatus, type Kube, type KubeObject, type ScaleTarget } from '../../../clients/kubernetes/client.ts';
import { groupOf } from '../../../clients/kubernetes/paths.ts';
import { horizontalPodAutoscalers } from '../../../clients/kubernetes/pods.ts';

interface HorizontalPodAutoscaler extends KubeObject {
  spec?: {
    minReplicas?: number;
    maxReplicas?: number;
    scaleTargetRef?: { apiVersion?: string; kind?: string; name?: string };
  };
}

/** An autoscaler of a target, and the range in which it keeps it. */
export interface Autoscaler {
  name: string;
  min: number;
  max: number;
}

const isOf = ({ metadata, spec }: HorizontalPodAutoscaler, { kind, name }: ScaleTarget): boolean => {
  const target = spec?.scaleTargetRef;
  const isTarget = target?.kind === kind && target.name === name && groupOf(target.apiVersion ?? '') === 'apps';
  return isTarget && metadata.deletionTimestamp === undefined;
};

/**
 * The HorizontalPodAutoscaler that scales a target; other autoscalers, such as KEDA, make one. `none` when there is none,
 * `unread` when the operator may not look.
 */
export async function autoscalerOf(
  kube: Pick<Kube, 'list'>,
  target: ScaleTarget,
  signal: AbortSignal,
): Promise<Autoscaler | 'none' | 'unread'> {
  try {
    const { namespace } = target;
    const { items } = await kube.list<HorizontalPodAutoscaler>(horizontalPodAutoscalers, { namespace, signal });
    const found = items.find((item) => isOf(item, target));
    if (found === undefined) return 'none';
    return { name: found.metadata.name, min: found.spec?.minReplicas ?? 1, max: found.spec?.maxReplicas ?? 1 };
  } catch (error) {
    if (hasStatus(error, 403)) return 'unread';
    // A server without autoscaling/v2 has no such autoscaler.
    if (hasStatus(error, 404)) return 'none';
    throw error;
  }
}

/**
 * Whether an autoscaler would undo a change. It stands still while its target has no replicas, unless 0 is in its range;
 * so switching off is left alone, and switching on as well, as far as its range allows.
 */
export const wouldUndo = ({ min, max }: Autoscaler, before: number, replicas: number): boolean => {
  if (replicas === 0) return min === 0;
  return before !== 0 || replicas < min || replicas > max;
};
