import type { Kube, ObjectMeta, ResourceRef } from '../clients/kubernetes/client.ts';
import { groupOf } from '../clients/kubernetes/paths.ts';
import type { ObjectRef } from '../domain/refs.ts';

/** The finalizer that KCO puts on objects of a kind whose end has to be cleaned up after. */
const finalizerOf = ({ apiVersion }: Pick<ResourceRef, 'apiVersion'>): string => `${groupOf(apiVersion)}/finalizer`;

/** Whether it is on an object of the type, whose deletion then waits for KCO. */
export const isHeld = (
  { metadata: { finalizers } }: { metadata: Pick<ObjectMeta, 'finalizers'> },
  ref: Pick<ResourceRef, 'apiVersion'>,
): boolean => finalizers?.includes(finalizerOf(ref)) ?? false;

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
    const key = { namespace, name };
    const found = await kube.get(ref, key, { signal });
    if (found?.metadata.uid !== uid || isHeld(found, ref) === isWanted) return;
    const { finalizers = [], resourceVersion } = found.metadata;
    const others = finalizers.filter((each) => each !== finalizer);
    const body = { metadata: { resourceVersion, finalizers: isWanted ? [...others, finalizer] : others } };
    await kube.patch(ref, key, { type: 'merge', body }, { signal });
  };
