import { hasStatus, isGone } from './errors.ts';
import { collectionPath, objectPath, queryOf } from './paths.ts';
import { deleteOptionsBody, dryRunQuery, type Requests } from './requests.ts';
import { createApplyStatus } from './status.ts';
import type { DeleteResult, Kube, KubeList, KubeObject, PatchType, ResourceRef } from './types.ts';

const patchContentTypes: Record<PatchType, string> = {
  apply: 'application/apply-patch+yaml',
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

/** The Event type KCO writes. */
const events: ResourceRef = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };

type Metadata = { namespace?: string; name: string; uid?: string };

/** Where a body says that it belongs. Bodies are made by KCO, so their metadata is as the interface demands. */
const metadataOf = (body: object): Metadata => ('metadata' in body ? (body.metadata as Metadata) : { name: '' });

const createReads = (requests: Requests): Pick<Kube, 'get' | 'list' | 'watch'> => ({
  get: async <T extends KubeObject>(ref: ResourceRef, key: Metadata, options = {}) => {
    try {
      return await requests.send<T>({ method: 'GET', path: objectPath(ref, key), ...options });
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  },

  list: <T>(ref: ResourceRef, { namespace, signal, ...query }: Parameters<Kube['list']>[1] = {}) =>
    requests.send<KubeList<T>>({ method: 'GET', path: collectionPath(ref, namespace) + queryOf(query), signal }),

  watch: (ref, { namespace, signal, ...query }) => {
    const path = collectionPath(ref, namespace) + queryOf({ watch: true, allowWatchBookmarks: true, ...query });
    return requests.stream(path, signal);
  },
});

const createWrites = (requests: Requests): Pick<Kube, 'create' | 'delete' | 'patch'> => ({
  create: (ref, body, options = {}) => {
    const query = queryOf({ fieldManager: 'kco', ...dryRunQuery(options.dryRun) });
    const path = collectionPath(ref, metadataOf(body).namespace) + query;
    return requests.send({ method: 'POST', path, body, signal: options.signal });
  },

  patch: (ref, key, { type, body, fieldManager = 'kco', force }, { signal, subresource, dryRun } = {}) => {
    const query = queryOf({ fieldManager, force: type === 'apply' && force, ...dryRunQuery(dryRun) });
    const path = objectPath(ref, key, subresource) + query;
    return requests.send({ method: 'PATCH', path, body, contentType: patchContentTypes[type], signal });
  },

  delete: async (ref, key, { signal, ...options } = {}): Promise<DeleteResult> => {
    try {
      await requests.send({ method: 'DELETE', path: objectPath(ref, key), body: deleteOptionsBody(options), signal });
      return 'deleted';
    } catch (error) {
      // A failed precondition is a conflict, and uid is the only one that is ever sent.
      if (isGone(error) || (hasStatus(error, 409) && options.uid !== undefined)) return 'gone';
      throw error;
    }
  },
});

/** The operations that know no kind. */
export const createObjectCalls = (
  requests: Requests,
): Pick<Kube, 'applyEvent' | 'applyStatus' | 'create' | 'delete' | 'get' | 'list' | 'patch' | 'watch'> => {
  const reads = createReads(requests);
  const writes = createWrites(requests);
  return {
    ...reads,
    ...writes,
    applyStatus: createApplyStatus({ ...reads, ...writes }),
    applyEvent: async (event, { signal } = {}) => {
      await writes.patch(events, metadataOf(event), { type: 'apply', body: event, force: true }, { signal });
    },
  };
};
