import type { KubeObject, ObjectMeta } from '../clients/kubernetes/client.ts';
import { silenceMs } from '../domain/live-replicas.ts';
import { msOf, secondsOf } from '../domain/seconds.ts';

/** `spec` of a coordination.k8s.io/v1 Lease. */
export interface LeaseSpec {
  holderIdentity?: string | null;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
}

/** A Lease as the API server has it. */
export interface Lease extends KubeObject {
  metadata: ObjectMeta;
  spec?: LeaseSpec;
}

/** A Lease as this replica saw it last: since when it has been that, by this replica's own clock. */
export interface SeenLease {
  /** Changes at every renewal. */
  resourceVersion: string;
  /** Milliseconds of a clock that never goes back. */
  since: number;
}

/** How long a leader that says nothing is believed to be one. */
export const leaseSeconds = secondsOf(silenceMs);

/** MicroTime, as Leases want it. */
export const microTime = (now: Date): string => now.toISOString().replace('Z', '000Z');

/** Whether this replica may take or renew the Lease now. Clocks of other machines play no part in it. */
export function mayLead(
  lease: Lease | undefined,
  identity: string,
  seen: SeenLease | undefined,
  nowMs: number,
): boolean {
  const holder = lease?.spec?.holderIdentity;
  if (!holder || holder === identity) return true;
  const durationMs = msOf(lease?.spec?.leaseDurationSeconds ?? leaseSeconds);
  return (
    seen?.resourceVersion === lease?.metadata.resourceVersion && seen !== undefined && nowMs - seen.since >= durationMs
  );
}

/** The Lease's `spec` with this replica as its holder; an empty identity gives it back. */
export function heldBy(identity: string, before: LeaseSpec | undefined, now: Date): LeaseSpec {
  const isSame = before?.holderIdentity === identity;
  const time = microTime(now);
  return {
    holderIdentity: identity,
    leaseDurationSeconds: identity === '' ? 1 : leaseSeconds,
    acquireTime: (isSame ? before?.acquireTime : undefined) ?? time,
    renewTime: time,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (isSame || identity === '' ? 0 : 1),
  };
}
