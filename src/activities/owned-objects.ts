import { type Kube, KubeError, type KubeObject, type ResourceRef } from '../clients/kubernetes/client.ts';
import { isPermanent } from '../clients/kubernetes/is-permanent.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Applied } from '../domain/object-seen.ts';
import type { ObjectRef } from '../domain/refs.ts';

/** The label of everything that KCO makes, by which its watches find it. */
export const managedBy = { 'app.kubernetes.io/managed-by': 'kco' };

/** An object that is to be as a custom resource wants it, without what says whose it is. */
export interface WantedObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: JsonObject & { name: string; labels?: Record<string, string> };
}

/** Whose it is to be. */
export interface Owner {
  ref: ResourceRef;
  app: ObjectRef;
  /** Types of which it may own objects. */
  owns: readonly ResourceRef[];
}

const isOwnedBy = ({ metadata }: KubeObject, uid: string): boolean =>
  metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid) ?? false;

/** The object as it is applied: the controller of its owner's namespace, so that it goes with its owner. */
const bodyOf = ({ ref: { apiVersion, kind }, app }: Owner, wanted: WantedObject, uid: string | undefined) => ({
  ...wanted,
  metadata: {
    ...wanted.metadata,
    namespace: app.namespace,
    labels: { ...wanted.metadata.labels, ...managedBy },
    ownerReferences: [{ apiVersion, kind, name: app.name, uid: app.uid, controller: true }],
    ...(uid !== undefined && { uid }),
  },
});

const refused = (reason: string, message: string): Applied => ({ ok: false, reason, message });

/**
 * Applies an object that a custom resource owns, by server-side apply in its namespace: applied twice it is the same. One
 * of that name that somebody else made is left alone, and so is what the API server refuses for good; both are an outcome.
 * Rejects with a `KubeError` where another attempt may help.
 */
export const createApplyOwned =
  (kube: Pick<Kube, 'get' | 'patch'>) =>
  async (owner: Owner, wanted: WantedObject, signal: AbortSignal): Promise<Applied> => {
    const { app, owns } = owner;
    const { apiVersion, kind, metadata } = wanted;
    const ref = owns.find((type) => type.apiVersion === apiVersion && type.kind === kind);
    if (ref === undefined) return refused('TypeNotOwned', `${owner.ref.kind} owns no ${kind} (${apiVersion})`);
    const key = { namespace: app.namespace, name: metadata.name };
    try {
      const found = await kube.get(ref, key, { signal });
      if (found !== undefined && !isOwnedBy(found, app.uid))
        return refused('NotOwned', `the ${kind} ${key.name} exists and is not this object's: delete it, or rename one`);
      const body = bodyOf(owner, wanted, found?.metadata.uid);
      await kube.patch(ref, key, { type: 'apply', body, force: true }, { signal });
      return { ok: true };
    } catch (error) {
      if (!isPermanent(error)) throw error;
      return refused(error instanceof KubeError ? error.reason : 'Refused', error.message);
    }
  };
