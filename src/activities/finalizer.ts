import type { Kube, ResourceRef } from '../clients/kubernetes/client.ts';
import { groupOf } from '../clients/kubernetes/paths.ts';
import type { ObjectRef } from '../domain/refs.ts';

/** The finalizer that KCO puts on objects of a kind whose end has to be cleaned up after. */
export const finalizerOf = ({ apiVersion }: Pick<ResourceRef, 'apiVersion'>): string =>
  `${groupOf(apiVersion)}/finalizer`;

/**
 * Puts the finalizer on an object, or takes it off, and leaves those of others. An object that is gone, or another one, is
 * left alone. Rejects with a `KubeError`; a conflict (409) means that somebody else has written it meanwhile.
 */
export const createSetFinalizer =
  (kube: Pick<Kube, 'get' | 'patch'>) =>
  async (
    ref: ResourceRef,
    { namespace, name, uid }: ObjectRef,
    isWanted: boolean,
    signal: AbortSignal,
  ): Promise<void> => {
    const finalizer = finalizerOf(ref);
    const key = ref.namespaced ? { namespace, name } : { name };
    const found = await kube.get(ref, key, { signal });
    if (found?.metadata.uid !== uid) return;
    const { finalizers = [], resourceVersion } = found.metadata;
    if (finalizers.includes(finalizer) === isWanted) return;
    const others = finalizers.filter((each) => each !== finalizer);
    const body = { metadata: { resourceVersion, finalizers: isWanted ? [...others, finalizer] : others } };
    await kube.patch(ref, key, { type: 'merge', body }, { signal });
  };
