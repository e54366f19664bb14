import type { WatchScope } from '../clients/kubernetes/informer/informer.ts';
import type { CheckResult, Checks } from './checks.ts';
import type { ProbeServerOptions } from './probe-server.ts';
import { apart, watchesCheck, workersCheck, worse } from './readiness.ts';
import { type StatsOptions, statsOf } from './stats.ts';

/** A kind as it is looked at: whether the API server knows it, and how its watches stand. */
export interface KindHealth {
  resource: string;
  served(): CheckResult;
  scopes(): WatchScope[];
}

/** Who knows how the parts of an operator are. */
export interface OperatorView {
  kubernetes(): CheckResult;
  temporal(): CheckResult;
  /** Absent where all namespaces are watched. */
  namespaces?: () => CheckResult;
  /** Whether the other replicas know of this one, so that it has its share of the work. */
  lease(): CheckResult;
  /** What this replica does among the others. */
  leader(): string;
  /** State of each worker, by name. */
  workers(): Record<string, string>;
  pods(): WatchScope[];
  kinds: readonly KindHealth[];
  /** By resource. */
  caches: StatsOptions['caches'];
  /** Objects that wait for Temporal. */
  pending(): number;
  /** Turns that are held here. */
  turns(): number;
}

/** Fails when only a restart helps. */
const livenessOf = ({ workers }: Pick<OperatorView, 'workers'>): Checks => ({
  worker: () => workersCheck(workers(), (state) => state !== 'FAILED'),
});

/** Fails while work is not being done; what one kind lacks takes nothing from the others. */
const readinessOf = (health: OperatorView): Checks => ({
  kubernetes: health.kubernetes,
  // Whoever is told to go when this one is ready has somebody to hand over to.
  lease: health.lease,
  // A follower is ready: its worker shares the work, and it takes over when it must.
  leader: () => ({ ok: true, message: health.leader() }),
  temporal: health.temporal,
  worker: () => workersCheck(health.workers(), (state) => state === 'RUNNING'),
  ...(health.namespaces !== undefined && { namespaces: health.namespaces }),
  pods: () => watchesCheck(health.pods()),
  ...apart(
    Object.fromEntries(
      health.kinds.map(({ resource, served, scopes }) => [resource, () => worse(served(), watchesCheck(scopes()))]),
    ),
  ),
});

/** What the probes of an operator say. */
export const probesOf = (view: OperatorView): Pick<ProbeServerOptions, 'health' | 'readiness' | 'stats'> => ({
  health: livenessOf(view),
  readiness: readinessOf(view),
  stats: () => statsOf(view),
});
