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
  /** Told of each change: whether this replica is the one that signals to Temporal. */
  setLeading(leading: boolean): void;
}

/** This replica's part among the replicas. */
export interface Leader {
  /** Begins to stand for election, or leads at once; does not wait. */
  start(): void;
  /** Leads no more, and gives the Lease back. */
  stop(): Promise<void>;
  /** What this replica does, for people: `leads`, or whom it follows. */
  describe(): string;
}

/** Elects the replica that signals to Temporal. */
export function createLeader({ kube, log, metrics, isElected, identity, setLeading }: LeaderOptions): Leader {
  let election: LeaderElection | undefined;
  const turn = (leading: boolean) => () => {
    log.info(leading ? 'became leader' : 'lost leadership');
    setLeading(leading);
  };
  const elect = (): LeaderElection =>
    createLeaderElection({
      kube,
      key: { namespace: identity.namespace, name: 'kco-operator' },
      identity: identity.pod,
      onStartedLeading: turn(true),
      onStoppedLeading: turn(false),
      onError: (error) => {
        metrics.failed({ category: 'kubernetes' });
        log.warning('lease renewal failed', { error });
      },
    });
  return {
    start: () => {
      if (isElected) election ??= elect();
      else setLeading(true);
    },
    stop: async () => election?.stop(),
    describe: () => (!isElected || election?.isLeader ? 'leads' : `follows ${election?.holder ?? 'nobody yet'}`),
  };
}
