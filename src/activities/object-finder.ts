import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import type { Kube, KubeObject, ResourceRef } from '../clients/kubernetes/types.ts';
import type { ObjectRef } from '../domain/refs.ts';
import { isTerminating, type WatchedObject } from './watched-object.ts';

/** The objects of one kind as the activities need them. */
export interface ObjectFinder<T extends WatchedObject> {
  /**
   * The object of that uid, or undefined when it is gone. A cache that does not know it, or that is behind the generation
   * that somebody has seen already (`atLeast`; infinity: always), is not believed without a GET. One of a namespace that
   * is not watched is gone, without asking: its workflow dates from a time when it was, and is to end.
   */
  find(app: ObjectRef, atLeast?: number): Promise<T | undefined>;
  /** Whether the watch has it, and not as one that is being deleted: what is not is nothing to be remembered or counted. */
  isKept(app: ObjectRef): boolean;
}

export interface ObjectFinderOptions<T extends WatchedObject> {
  cache: Pick<Informer<T>, 'get'>;
  kube: Pick<Kube, 'get'>;
  ref: ResourceRef;
  /** What is kept of an object that was read. */
  transform(object: KubeObject): T;
  /** Namespaces that are watched; empty: all. */
  namespaces: readonly string[];
}

/** Fits into what a poll may take beside its queries; and who hangs has to give the slot to others. */
const patienceMs = 5_000;

export const createObjectFinder = <T extends WatchedObject>(options: ObjectFinderOptions<T>): ObjectFinder<T> => {
  const { cache, kube, ref, transform, namespaces } = options;
  const isWatched = ({ namespace }: ObjectRef): boolean =>
    namespaces.length === 0 || !ref.namespaced || namespaces.includes(namespace);
  const cached = ({ namespace, name, uid }: ObjectRef): T | undefined => {
    const known = cache.get(namespace, name);
    return known?.metadata.uid === uid ? known : undefined;
  };
  return {
    find: async (app, atLeast = 0) => {
      if (!isWatched(app)) return undefined;
      const known = cached(app);
      if (known !== undefined && (isTerminating(known) || known.metadata.generation >= atLeast)) return known;
      const { namespace, name, uid } = app;
      const object = await kube.get(ref, { namespace, name }, { signal: AbortSignal.timeout(patienceMs) });
      return object?.metadata.uid === uid ? transform(object) : undefined;
    },
    isKept: (app) => {
      const known = cached(app);
      return known !== undefined && !isTerminating(known);
    },
  };
};
