import { hasStatus, type Kube, type KubeObject } from '../../../clients/kubernetes/client.ts';
import { disruptionBudgets } from '../../../clients/kubernetes/pods.ts';
import { isSelected, type LabelSelector } from '../../../domain/selector.ts';

interface Budget extends KubeObject {
  spec?: { selector?: LabelSelector };
}

/** As the API server takes it: an empty selector is all pods, none is no pod. */
const covers = ({ spec }: Budget, labels: Record<string, string>): boolean => {
  const { selector } = spec ?? {};
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return Object.keys(matchLabels).length + matchExpressions.length === 0 || isSelected(selector, labels);
};

/**
 * The PodDisruptionBudgets that cover a pod, when they are several: the API server then evicts it never, and answers with
 * an error that says so in words only. Undefined when they are not, or cannot be read.
 */
export async function severalBudgets(
  kube: Pick<Kube, 'list'>,
  { metadata: { namespace, labels = {} } }: KubeObject,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const { items } = await kube.list<Budget>(disruptionBudgets, { namespace, signal });
    const names = items.filter((budget) => covers(budget, labels)).map(({ metadata }) => metadata.name);
    return names.length > 1 ? names : undefined;
  } catch (error) {
    if (hasStatus(error, 403)) return undefined;
    throw error;
  }
}
