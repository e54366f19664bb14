import type { Kube, ResourceRef } from '../clients/kubernetes/client.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import { heldBy, type Lease } from './lease.ts';

export const leases: ResourceRef = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

/** Reads and writes one Lease. */
export interface LeaseClient {
  read(signal: AbortSignal): Promise<Lease | undefined>;
  /** Makes this the holder, against the version that was read; an empty identity gives the Lease back. */
  write(lease: Lease | undefined, holder: string, signal: AbortSignal): Promise<void>;
}

export const createLeaseClient = (
  kube: Pick<Kube, 'create' | 'get' | 'patch'>,
  key: { namespace: string; name: string },
): LeaseClient => ({
  read: (signal) => kube.get<Lease>(leases, key, { signal }),

  write: async (lease, holder, signal) => {
    const spec = heldBy(holder, lease?.spec, new Date()) as unknown as Json;
    const { apiVersion, kind } = leases;
    if (lease === undefined) await kube.create(leases, { apiVersion, kind, metadata: { ...key }, spec }, { signal });
    else {
      const body: JsonObject = { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec };
      await kube.patch(leases, key, { type: 'merge', body }, { signal });
    }
  },
});
