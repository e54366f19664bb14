import { createKube } from './clients/kubernetes/client.ts';
import { createTemporalClient } from './clients/temporal/connection.ts';
import type { Config } from './config/config.ts';
import { createManager } from './controller/manager.ts';
import { createShutdownStack, startAll } from './lifecycle/shutdown-stack.ts';
import { probesOf } from './server/operator-probes.ts';
import { type ProbeServer, startProbeServer } from './server/probe-server.ts';
import type { Log } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics/index.ts';
import type { Redact } from './telemetry/redactor.ts';
import { createOperatorActivities } from './worker/operator-activities.ts';
import { createWorkerSupervisor } from './worker/supervisor.ts';

/** What an operator is made of. */
export interface OperatorOptions {
  config: Config;
  log: Log;
  metrics: Metrics;
  /** Keeps secrets of this process out of Events, status and outcomes. */
  redact: Redact;
  version: string;
}

/** A running operator: controller and worker in one process. */
export interface Operator {
  surface: ProbeServer;
  /** Rejects when the worker has failed for good. */
  readonly failed: Promise<never>;
  /** Stops taking work, lets what runs end within the grace period, and closes everything. */
  stop(): Promise<void>;
}

/** What a worker needs beyond the grace period of its actions: it gives up on them 5 s later, and then hangs up. */
const workerMarginMs = 10_000;
/** All turns are let go by then, also those that wait for a poll. */
const handOverMs = 25_000;

/**
 * Starts everything; resolves when the servers listen, which is before the rest is ready: neither Kubernetes nor Temporal has to
 * be there yet. What starts first ends last: this replica first lets go of the Lease, then its workers end what they have begun,
 * and the probes answer until that is done.
 */
export function startOperator({ config, log, metrics, redact, version }: OperatorOptions): Promise<Operator> {
  const { identity, temporal, kubernetes, leaderElection: isElected } = config;
  const stack = createShutdownStack((step, error) => log.error('shutdown step failed', { step, error }));
  return startAll(stack, async () => {
    const kube = createKube({ kubeconfig: kubernetes.kubeconfig, version });
    void stack.push('kubernetes connection', kube.close);
    const client = createTemporalClient(temporal);
    void stack.push('temporal connection', () => client.connection.close());

    const shared = { kube, metrics, log };
    const manager = createManager({
      ...{ ...shared, client, temporal, identity, isElected, namespaces: kubernetes.watchNamespaces },
      onTemporalRenewed: () => workers.restart(),
      isReady: () => Object.values(workers.states()).every((state) => state === 'RUNNING'),
    });
    const ending = new AbortController();
    const known = { ...manager.known, ending: ending.signal };
    const activities = createOperatorActivities({ ...shared, ...known, redact, config, version });
    const workers = createWorkerSupervisor({ config, activities, metrics, version }, (error) =>
      log.warning('worker not connected, retrying', { error }),
    );
    const probes = probesOf({ ...manager.view, workers: workers.states });
    const surface = await startProbeServer({ config: config.surface, metricsText: metrics.text, ...probes });
    void stack.push('servers', surface.close);

    stack.run('watches', manager.watches);
    stack.run('health monitors', manager.monitors);
    stack.run('workers', workers, config.worker.shutdownGraceMs + workerMarginMs);
    void stack.push('turns', () => ending.abort());
    stack.run('signals', manager.signals);
    stack.run('replicas', manager.replicas, handOverMs);
    // First of all: what the others take over is not to be given to this one again.
    void stack.push('work', workers.leave);
    stack.run('leader', manager.leader);
    return { surface, failed: workers.failed, stop: stack.end };
  });
}
