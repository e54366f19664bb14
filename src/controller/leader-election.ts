import { setTimeout as sleep } from 'node:timers/promises';
import { hasStatus, type Kube, type ResourceRef } from '../clients/kubernetes/client.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import { heldBy, type Lease, leaseSeconds, mayLead, type SeenLease } from './lease.ts';

const leases: ResourceRef = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true };

/** How often a leader renews. */
const renewMs = 1_500;
/** How often a follower looks: a Lease that was given back is taken after that, one that ran out at most that much later. */
const lookMs = 1_000;
/** A leader that could not renew for this long stops leading, before another one may begin. */
const renewDeadlineMs = (leaseSeconds - 4) * 1_000;
/** A look with its write; one of them and the pause before it fit into what is left of the Lease then. */
const patienceMs = 2_000;

export interface LeaderElectionOptions {
  kube: Pick<Kube, 'create' | 'get' | 'patch'>;
  /** Where the Lease is. */
  key: { namespace: string; name: string };
  /** Of this replica; unique. */
  identity: string;
  onStartedLeading(): void;
  onStoppedLeading(): void;
  onError(error: unknown): void;
}

/** This replica's part in the choice of the one that leads. */
export interface LeaderElection {
  readonly isLeader: boolean;
  /** Who holds the Lease, as far as is known. */
  readonly holder: string | undefined;
  /** Gives the Lease back, so that another replica leads at once. */
  stop(): Promise<void>;
}

/**
 * Chooses one of several replicas by a Lease: whoever holds it leads until it has not renewed it for `leaseSeconds`.
 * Each write is made against the version that was read, so two replicas cannot both succeed.
 */
export function createLeaderElection({
  kube,
  key,
  identity,
  onStartedLeading: onGain,
  onStoppedLeading: onLoss,
  onError,
}: LeaderElectionOptions): LeaderElection {
  const stopping = new AbortController();
  let seen: SeenLease | undefined;
  let holder: string | undefined;
  let renewedAt: number | undefined;

  const patience = () => ({ signal: AbortSignal.timeout(patienceMs) });

  const write = async (lease: Lease | undefined, who: string, within = patience()): Promise<void> => {
    const spec = heldBy(who, lease?.spec, new Date()) as unknown as Json;
    const { apiVersion, kind } = leases;
    if (lease === undefined) await kube.create(leases, { apiVersion, kind, metadata: { ...key }, spec }, within);
    else {
      const body: JsonObject = { metadata: { resourceVersion: lease.metadata.resourceVersion }, spec };
      await kube.patch(leases, key, { type: 'merge', body }, within);
    }
  };

  const lose = (): void => {
    if (renewedAt === undefined) return;
    renewedAt = undefined;
    onLoss();
  };

  const look = async (): Promise<void> => {
    const within = patience();
    const lease = await kube.get<Lease>(leases, key, within);
    const resourceVersion = lease?.metadata.resourceVersion;
    if (resourceVersion !== undefined && resourceVersion !== seen?.resourceVersion)
      seen = { resourceVersion, since: performance.now() };
    holder = lease?.spec?.holderIdentity || undefined;
    if (!mayLead(lease, identity, seen, performance.now())) return lose();
    // Others count from when it is written, and an answer may be long in coming.
    const writtenAt = performance.now();
    await write(lease, identity, within);
    holder = identity;
    const isNew = renewedAt === undefined;
    renewedAt = writtenAt;
    if (isNew) onGain();
  };

  const once = async (): Promise<void> => {
    try {
      await look();
    } catch (error) {
      // 409: another replica was quicker.
      if (!hasStatus(error, 409)) onError(error);
      if (renewedAt !== undefined && performance.now() - renewedAt >= renewDeadlineMs) lose();
    }
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await once();
      await sleep(renewedAt === undefined ? lookMs : renewMs, undefined, { signal: stopping.signal }).catch(
        () => undefined,
      );
    }
  };
  const running = run();

  return {
    get isLeader() {
      return renewedAt !== undefined;
    },
    get holder() {
      return holder;
    },
    stop: async () => {
      stopping.abort();
      await running;
      if (renewedAt === undefined) return;
      lose();
      const lease = await kube.get<Lease>(leases, key, patience()).catch(() => undefined);
      // Somebody else's by now, or the API server is away: then it runs out by itself.
      if (lease?.spec?.holderIdentity === identity) await write(lease, '').catch(() => undefined);
    },
  };
}
