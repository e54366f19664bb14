import { managedBy } from '../activities/owned-objects.ts';
import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import { groupOf } from '../clients/kubernetes/paths.ts';
import type { KubeObject, OwnerReference, ResourceRef } from '../clients/kubernetes/types.ts';
import type { AnyKind } from './controllers.ts';
import { createInformerFor, type WatchingOptions } from './watching.ts';

/** What is kept of an object that KCO has made: whose it is. */
interface OwnedObject {
  namespace: string;
  owner?: Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>;
}

const labelSelector = Object.entries(managedBy)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

const ownedObject = ({ metadata: { namespace = '', ownerReferences } }: KubeObject): OwnedObject => {
  const owner = ownerReferences?.find(({ controller }) => controller);
  return { namespace, ...(owner !== undefined && { owner }) };
};

/** Signals the owner of an object that has changed, if this operator knows it. */
function reconcileOwner(kinds: readonly AnyKind[], { namespace, owner }: OwnedObject): void {
  if (owner === undefined) return;
  const isItsKind = ({ registration: { ref } }: AnyKind): boolean =>
    ref.kind === owner.kind && groupOf(ref.apiVersion) === groupOf(owner.apiVersion);
  const kind = kinds.find(isItsKind);
  const object = kind?.cache.get(kind.registration.ref.namespaced ? namespace : '', owner.name);
  if (object?.metadata.uid === owner.uid) kind?.controller.reconcile(object);
}

const typeOf = ({ apiVersion, plural }: ResourceRef): string => `${apiVersion}/${plural}`;

/**
 * One watch for each type of which some kind owns objects, of those that KCO has made. What changes or goes is a turn for its
 * owner; what comes is its owner's own doing.
 */
export function createOwnedWatches(kinds: readonly AnyKind[], watching: WatchingOptions): Informer<unknown>[] {
  const types = new Map(kinds.flatMap(({ registration: { owns } }) => owns).map((ref) => [typeOf(ref), ref]));
  return [...types.values()].map((ref) =>
    createInformerFor<OwnedObject>(watching, {
      ref,
      labelSelector,
      transform: ownedObject,
      onChange: (event, object) => {
        if (event !== 'added') reconcileOwner(kinds, object);
      },
    }),
  );
}
