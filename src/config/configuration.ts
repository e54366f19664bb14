import type { QueueName } from '../domain/task-queues.ts';
import type { Settings } from './variables.ts';

/** What KCO runs with. Durations are milliseconds, as everywhere in the code; the variables say seconds. */
export interface Config {
  logLevel: Settings['KCO_LOG_LEVEL'];
  identity: { operator: string; pod: string; namespace: string };
  leaderElection: boolean;
  surface: { bindAddress: string; healthPort: number; metricsPort: number };
  kubernetes: { kubeconfig?: string; watchNamespaces: string[] };
  temporal: {
    address: string;
    namespace: string;
    taskQueue: string;
    webUrl?: string;
    /** Absent: plain text. */
    tls?: { caFile?: string; certFile?: string; keyFile?: string; serverName?: string };
    apiKey?: string;
    apiKeyFile?: string;
    /** Loopback port of the SDK's own metrics; 0 takes any free one. */
    metricsPort: number;
  };
  worker: {
    maxCachedWorkflows: number;
    /** Activities at the same time, by task queue. */
    slots: Record<QueueName, number>;
    shutdownGraceMs: number;
  };
  observing: {
    defaultIntervalMs: number;
    timeoutMs: number;
    maxRetries: number;
    maxConcurrentQueries: number;
    maxConnectionAgeMs: number;
    maxConnectionsPerHost: number;
    /** Per second. */
    maxRequestsPerHost: number;
    maxResponseBytes: number;
    maxStateBytes: number;
    statusHeartbeatMs: number;
    /** Polls under way at the same time. */
    maxConcurrentPolls: number;
    /** Of apps, kept at the same time. */
    maxSubscriptions: number;
    /** How long a turn of many polls lasts at most; 0: every poll is a turn of its own. */
    turnMs: number;
  };
  actions: {
    enabled: Settings['KCO_ENABLED_ACTIONS'];
    /** `Kind` or `Kind.group`; absent: whatever RBAC allows. */
    patchKinds?: string[];
    timeoutMs: number;
  };
  /** Variables that look like KCO's and are not, to be logged once. */
  warnings: string[];
}
