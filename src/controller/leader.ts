import type { Kube } from '../clients/kubernetes/client.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { createLeaderElection, type LeaderElection } from './leader-election.ts';

/** What the choice of a leader needs. */
export interface LeaderOptions {
  kube: Pick<Kube, 'create' | 'get' | 'patch'>;
  log: Log;
  metrics: Pick<Metrics, 'failed'>;
  /** Without an election this replica leads, because it is the only one. */
  isElected: boolean;
  identity: { namespace: string; pod: string };
}

/** This replica's part among the replicas. */
export interface Leader {
  /** Begins to stand for election, or leads at once; does not wait. */
  start(): void;
  /** Leads no more, and gives the Lease back. */
  stop(): Promise<void>;
  isLeading(): boolean;
  /** What this replica does, for people: `leads`, or whom it follows. */
  describe(): string;
}

/** Elects the replica that does what one alone is to do. */
export function createLeader({ kube, log, metrics, isElected, identity }: LeaderOptions): Leader {
  let election: LeaderElection | undefined;
  const isLeading = (): boolean => !isElected || election?.isLeader === true;
  const elect = (): LeaderElection =>
    createLeaderElection({
      kube,
      key: { namespace: identity.namespace, name: 'kco-operator' },
      identity: identity.pod,
      onStartedLeading: () => log.info('became leader'),
      onStoppedLeading: () => log.info('lost leadership'),
      onError: (error) => {
        metrics.failed({ category: 'kubernetes' });
        log.warning('lease renewal failed', { error });
      },
    });
  return {
    start: () => {
      if (isElected) election ??= elect();
    },
    stop: async () => election?.stop(),
    isLeading,
    describe: () => (isLeading() ? 'leads' : `follows ${election?.holder ?? 'nobody yet'}`),
  };
}
