import type { Informer, WatchEventType } from '../../clients/kubernetes/informer/informer.ts';
import type { LabelSelector } from '../../domain/selector.ts';
import { NamespacePods } from './namespace-pods.ts';
import type { PodView } from './pod-view.ts';

/** The pods of the watch, by what is asked for: an answer costs what it holds, however many others there are. */
export interface PodIndex {
  find(namespace: string, uid: string): PodView | undefined;
  /** Those that a selector selects, in the order in which they came. */
  selected(namespace: string, selector: LabelSelector): PodView[];
}

/** The pods of the watch as the activities know them. */
export type WatchedPods = Pick<Informer<PodView>, 'hasSynced' | 'scopes'> & PodIndex;

/** After so long without being asked for, what a selector selects is not kept up to date any more. */
const keptMs = 10 * 60_000;

/** An empty index, to be fed with the changes of a watch cache. `now` is in milliseconds since any fixed moment. */
export function createPodIndex(
  now: () => number = () => performance.now(),
): PodIndex & { onChange(event: WatchEventType, pod: PodView): void } {
  const namespaces = new Map<string, NamespacePods>();
  let sweptAt = now();

  const sweep = (at: number): void => {
    if (at - sweptAt < keptMs) return;
    sweptAt = at;
    for (const [name, pods] of namespaces) {
      pods.forget(at - keptMs);
      if (pods.isEmpty) namespaces.delete(name);
    }
  };

  const podsOf = (namespace: string): NamespacePods => {
    const known = namespaces.get(namespace) ?? new NamespacePods();
    namespaces.set(namespace, known);
    return known;
  };

  return {
    find: (namespace, uid) => namespaces.get(namespace)?.find(uid),
    selected: (namespace, selector) => {
      const at = now();
      sweep(at);
      return podsOf(namespace).selected(selector, at);
    },
    onChange: (event, pod) => {
      if (event === 'deleted') podsOf(pod.namespace).remove(pod);
      else podsOf(pod.namespace).put(pod);
    },
  };
}
