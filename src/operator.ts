import { type PodView, podView } from './activities/target-app/pod-view.ts';
import { createKube } from './clients/kubernetes/client.ts';
import { pods as podRef } from './clients/kubernetes/pods.ts';
import { createTemporalClient } from './clients/temporal/connection.ts';
import { createWorkflowStarter } from './clients/temporal/workflow-starter.ts';
import type { Config } from './config/config.ts';
import { createAttributeUse } from './controller/attribute-use.ts';
import { createControllerManager } from './controller/controller-manager.ts';
import { createHealthMonitors } from './controller/health-monitors.ts';
import { createInformerFor, type WatchingOptions } from './controller/kind-controller.ts';
import { createKindControllers } from './controller/kinds/index.ts';
import { createLeader } from './controller/leader.ts';
import { createShutdownStack, type ShutdownStack, startAll } from './lifecycle/shutdown-stack.ts';
import { livenessOf, readinessOf } from './server/operator-checks.ts';
import { type ProbeServer, startProbeServer } from './server/probe-server.ts';
import { statsOf } from './server/stats.ts';
import type { Log } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics/operator.ts';
import { createOperatorActivities } from './worker/operator-activities.ts';
import { createWorkerSupervisor } from './worker/supervisor.ts';

/** What an operator is made of. */
export interface OperatorOptions {
  config: Config;
  log: Log;
  metrics: Metrics;
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

/** Connects to both servers. Neither has to be there yet. */
function connect({ config, version }: OperatorOptions, stack: ShutdownStack) {
  const kube = createKube({ kubeconfig: config.kubernetes.kubeconfig, version });
  void stack.push('kubernetes connection', kube.close);
  const client = createTemporalClient(config.temporal);
  void stack.push('temporal connection', () => client.connection.close());
  return { kube, client };
}

/** Puts the parts together; none of them runs yet. */
function assemble(options: OperatorOptions, stack: ShutdownStack) {
  const { config, log, metrics, version } = options;
  const { identity, kubernetes, temporal } = config;
  const { kube, client } = connect(options, stack);
  const watching: WatchingOptions = { kube, namespaces: kubernetes.watchNamespaces, metrics, log };
  const attributes = createAttributeUse(client, temporal.namespace, log);
  const served = createKindControllers(createWorkflowStarter(client, temporal.taskQueue, attributes), watching);
  const kinds = Object.values(served);
  const pods = createInformerFor<PodView>(watching, { ref: podRef, transform: podView });
  const { cache: apps, whenGone } = served.TargetApp;
  const shared = { caches: { apps, pods }, whenGone, telemetry: { metrics, log }, searchAttributes: attributes.usable };
  const activities = createOperatorActivities({ config, version, kube, ...shared });
  const workers = createWorkerSupervisor({ config, activities, metrics, version }, (error) =>
    log.warning('worker not connected, retrying', { error }),
  );
  const controllers = createControllerManager(kinds, metrics);
  const { setLeading, resync } = controllers;
  const leader = createLeader({ kube, log, metrics, isElected: config.leaderElection, identity, setLeading });
  const monitors = createHealthMonitors({
    kube,
    client,
    log,
    attributes,
    temporalNamespace: temporal.namespace,
    namespaces: watching.namespaces,
    refs: kinds.map(({ registration }) => registration.ref),
    onTemporalBack: resync,
    onTemporalRenewed: () => {
      workers.restart();
      resync();
    },
  });
  return { kinds, pods, workers, controllers, leader, monitors };
}

type Parts = ReturnType<typeof assemble>;

/** Serves probes and metrics: they say how the parts are, also before these run. */
function serve({ config, metrics }: OperatorOptions, parts: Parts): Promise<ProbeServer> {
  const { kinds, pods, controllers, leader, monitors } = parts;
  const workers = parts.workers.states;
  const caches = {
    pods,
    ...Object.fromEntries(kinds.map(({ cache, registration }) => [registration.ref.plural, cache])),
  };
  return startProbeServer({
    config: config.surface,
    metricsText: metrics.text,
    health: livenessOf({ workers }),
    readiness: readinessOf({
      ...monitors,
      leader: leader.describe,
      workers,
      pods: pods.scopes,
      kinds: kinds.map(({ cache, registration: { ref } }) => ({
        resource: ref.plural,
        served: () => monitors.kind(ref),
        scopes: cache.scopes,
      })),
    }),
    stats: () => statsOf({ leader: leader.describe, caches, pending: () => controllers.pending, workers }),
  });
}

/**
 * Starts everything; resolves when the servers listen, which is before the rest is ready. What starts first ends last: this
 * replica first lets go of the Lease, then its workers end what they have begun, and the probes answer until that is done.
 */
export function startOperator(options: OperatorOptions): Promise<Operator> {
  const { config, log } = options;
  const stack = createShutdownStack((step, error) => log.error('shutdown step failed', { step, error }));
  const run = (name: string, part: { start(): void; stop(): Promise<void> }, withinMs?: number): void => {
    part.start();
    void stack.push(name, part.stop, withinMs);
  };
  return startAll(stack, async () => {
    const parts = assemble(options, stack);
    const surface = await serve(options, parts);
    void stack.push('servers', surface.close);
    run('watch of pods', parts.pods);
    for (const { cache, registration } of parts.kinds) run(`watch of ${registration.ref.plural}`, cache);
    run('health monitors', parts.monitors);
    run('workers', parts.workers, config.worker.shutdownGraceMs + workerMarginMs);
    run('controllers', parts.controllers);
    run('leader', parts.leader);
    return { surface, failed: parts.workers.failed, stop: stack.end };
  });
}
