import { createActivities } from './activities/index.ts';
import { type PodView, podView } from './activities/target-app/pod-view.ts';
import type { KindName } from './api/kinds.ts';
import { createGraphql } from './clients/graphql/client.ts';
import { createHttp } from './clients/http/http-client.ts';
import { createKube, type Kube } from './clients/kubernetes/client.ts';
import type { Informer } from './clients/kubernetes/informer/informer.ts';
import { pods as podRef } from './clients/kubernetes/pods.ts';
import { createTemporalClient } from './clients/temporal/connection.ts';
import { createWorkflowStarter } from './clients/temporal/workflow-starter.ts';
import type { Config } from './config/config.ts';
import { createAbsentNamespaces } from './controller/absent-namespaces.ts';
import { type AttributeUse, createAttributeUse } from './controller/attribute-use.ts';
import { createInformerFor, createKindController, type WatchingOptions } from './controller/kind-controller.ts';
import { registrations } from './controller/kinds/index.ts';
import { createLeaderElection, type LeaderElection } from './controller/leader-election.ts';
import { createTemporalPrerequisites } from './controller/preflight.ts';
import { createServedKinds } from './controller/served-kinds.ts';
import type { WorkflowRef } from './domain/refs.ts';
import { createHealthMonitor } from './server/health-monitor.ts';
import { type ProbeServer, startProbeServer } from './server/probe-server.ts';
import { apart, watchesCheck, workersCheck, worse } from './server/readiness.ts';
import type { Log } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics/operator.ts';
import { superviseWorker } from './worker/supervisor.ts';

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

/** How often Temporal and the API server are asked whether they are there. */
const watchEveryMs = 3_000;
/** How often it is looked whether the watched namespaces are there. */
const namespacesEveryMs = 30_000;
/** After an absence of Temporal this long the worker takes a new connection. */
const staleConnectionMs = 10_000;
/** How often every object's workflow is made sure of, in case somebody ended one by hand. */
const resyncEveryMs = 10 * 60_000;

const workflowUrlIn =
  ({ temporal: { webUrl, namespace } }: Config) =>
  ({ id, runId }: WorkflowRef): string | undefined =>
    webUrl === undefined
      ? undefined
      : `${webUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(id)}/${runId}/history`;

/** Every kind that is served. A kind without an entry is a compile error. */
const controllersOf = (starter: ReturnType<typeof createWorkflowStarter>, watching: WatchingOptions) =>
  ({
    TargetApp: createKindController(registrations.TargetApp, starter, watching),
  }) satisfies Record<KindName, unknown>;

type Served = ReturnType<typeof controllersOf>;

/** What the activities share with the rest of the operator. */
interface Shared {
  served: Served;
  pods: Informer<PodView>;
  attributes: AttributeUse;
}

function activitiesOf(options: OperatorOptions, kube: Kube, { served, pods, attributes }: Shared) {
  const { config, log, metrics, version } = options;
  const { observing, actions, identity } = config;
  const http = createHttp({
    maxBytes: observing.maxResponseBytes,
    connectionsPerHost: observing.maxConnectionsPerHost,
    maxAgeMs: observing.maxConnectionAgeMs,
  });
  const rate = { perSecond: observing.maxRequestsPerHost, burst: 2 * observing.maxRequestsPerHost };
  return createActivities({
    clients: { kube, http, graphql: createGraphql({ http, retries: observing.maxRetries, rate }) },
    caches: { apps: served.TargetApp.cache, pods },
    whenGone: served.TargetApp.whenGone,
    telemetry: { metrics, log },
    settings: {
      namespaces: config.kubernetes.watchNamespaces,
      defaults: {
        pollingInterval: observing.defaultIntervalMs / 1000,
        timeout: observing.timeoutMs / 1000,
        actionTimeout: actions.timeoutMs / 1000,
        retries: 3,
        queriesAtOnce: observing.maxConcurrentQueries,
        statusHeartbeat: observing.statusHeartbeatMs / 1000,
        salt: version,
      },
      enabledActions: actions.enabled,
      patchKinds: actions.patchKinds,
      limits: { maxStateBytes: observing.maxStateBytes },
      slots: config.worker.slots,
      instance: identity.pod,
      workflowUrl: workflowUrlIn(config),
      searchAttributes: attributes.usable,
    },
  });
}

/** Takes part in the choice of the replica that tells Temporal; alone where nothing is to be chosen. */
function leaderOf({ config, log, metrics }: OperatorOptions, kube: Kube, setLeading: (leading: boolean) => void) {
  const { identity, leaderElection } = config;
  if (!leaderElection) {
    setLeading(true);
    return undefined;
  }
  const turn = (leading: boolean) => () => {
    log.info(leading ? 'became leader' : 'lost leadership');
    setLeading(leading);
  };
  return createLeaderElection({
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
}

const inMiB = (usage: NodeJS.MemoryUsage): Record<string, number> =>
  Object.fromEntries(Object.entries(usage).map(([part, bytes]) => [part, Math.round(bytes / 2 ** 20)]));

const leads = (leader: LeaderElection | undefined): string =>
  leader === undefined || leader.isLeader ? 'leads' : `follows ${leader.holder ?? 'nobody yet'}`;

/** A cache's watches as people read of them: the resource, and the namespace where only some are watched. */
const stalenessOf = (plural: string, cache: Pick<Informer<unknown>, 'scopes'>): [string, number][] =>
  cache
    .scopes()
    .map(({ namespace, stalenessMs }) => [
      namespace === undefined ? plural : `${plural}[${namespace}]`,
      stalenessMs / 1000,
    ]);

/** Starts everything; resolves when the surface answers, which is before the rest is ready. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { config, log, metrics, version } = options;
  const ending = new AbortController();
  const kube = createKube({ kubeconfig: config.kubernetes.kubeconfig, version });
  const client = createTemporalClient(config.temporal);
  const watching: WatchingOptions = { kube, namespaces: config.kubernetes.watchNamespaces, metrics, log };
  const attributes = createAttributeUse(client, config.temporal.namespace, log);
  const served = controllersOf(createWorkflowStarter(client, config.temporal.taskQueue, attributes), watching);
  const kinds = Object.values(served);
  const pods = createInformerFor<PodView>(watching, { ref: podRef, transform: podView });
  const refs = kinds.map(({ registration }) => registration.ref);
  const caches = {
    pods,
    ...Object.fromEntries(kinds.map(({ cache, registration }) => [registration.ref.plural, cache])),
  };
  metrics.readActiveMonitors(() => kinds.flatMap(({ counts }) => [...counts()]));
  metrics.readExportedFields(() => kinds.flatMap(({ exported }) => exported()));
  const resync = (): void => {
    for (const { controller } of kinds) controller.resync();
  };

  const onLoss = (what: string) => (error: unknown) => log.warning(`${what} health check failed`, { error });
  const prerequisites = createTemporalPrerequisites(client, config.temporal.namespace, attributes);
  const servedKinds = createServedKinds(kube, refs, log);
  const kubernetesWatch = createHealthMonitor({
    everyMs: watchEveryMs,
    check: async (signal) => {
      await kube.ready({ signal });
      await servedKinds.look(signal);
    },
    onFailing: onLoss('kubernetes'),
  });
  const absentNamespaces = createAbsentNamespaces(kube, watching.namespaces);
  const namespacesWatch = createHealthMonitor({ everyMs: namespacesEveryMs, check: absentNamespaces.look });
  for (const cache of Object.values(caches)) cache.start();
  const leader = leaderOf(options, kube, (leading) => {
    for (const { controller } of kinds) controller.setLeading(leading);
  });
  const resyncing = setInterval(resync, resyncEveryMs).unref();
  const activities = activitiesOf(options, kube, { served, pods, attributes });
  const employed = superviseWorker({ config, activities, metrics, version }, ending.signal, (error) =>
    log.warning('worker not connected, retrying', { error }),
  );
  // Temporal is another one, or was away so long that it may be elsewhere now.
  const startAfresh = (): void => {
    employed.restart();
    resync();
  };
  const temporalWatch = createHealthMonitor({
    everyMs: watchEveryMs,
    check: async (signal) => {
      const { isNew, registered } = await client.withAbortSignal(signal, prerequisites.ensure);
      if (registered.length > 0) log.info('search attributes registered', { search_attributes: registered });
      if (isNew) startAfresh();
    },
    onRecovered: (lostMs) => (lostMs < staleConnectionMs ? resync() : startAfresh()),
    onFailing: onLoss('temporal'),
  });
  const workers = (isWell: (state: string) => boolean) => () => workersCheck(employed.states(), isWell);

  const surface = await startProbeServer({
    config: config.surface,
    metricsText: metrics.text,
    health: { worker: workers((state) => state !== 'FAILED') },
    readiness: {
      kubernetes: () => kubernetesWatch.result,
      // A follower is ready: its worker shares the work, and it takes over when it must.
      leader: () => ({ ok: true, message: leads(leader) }),
      temporal: () => worse(temporalWatch.result, attributes.check()),
      worker: workers((state) => state === 'RUNNING'),
      ...(watching.namespaces.length > 0 && { namespaces: absentNamespaces.check }),
      pods: () => watchesCheck(pods.scopes()),
      ...apart(
        Object.fromEntries(
          kinds.map(({ cache, registration: { ref } }) => [
            ref.plural,
            () => worse(servedKinds.check(ref), watchesCheck(cache.scopes())),
          ]),
        ),
      ),
    },
    stats: () => ({
      leader: leads(leader),
      objects: Object.fromEntries(Object.entries(caches).map(([plural, { size }]) => [plural, size])),
      waitingForTemporal: kinds.reduce((sum, { controller }) => sum + controller.pending, 0),
      watchStalenessSeconds: Object.fromEntries(
        Object.entries(caches).flatMap(([plural, cache]) => stalenessOf(plural, cache)),
      ),
      worker: employed.states(),
      memoryMiB: inMiB(process.memoryUsage()),
    }),
  });

  return {
    surface,
    failed: employed.failed,
    stop: async () => {
      ending.abort();
      clearInterval(resyncing);
      await leader?.stop();
      await Promise.all(kinds.map(({ controller }) => controller.stop()));
      await employed.stop();
      const watchmen = [temporalWatch, kubernetesWatch, namespacesWatch];
      await Promise.all([...Object.values(caches), ...watchmen].map((running) => running.stop()));
      await surface.close();
      await client.connection.close();
      await kube.close();
    },
  };
}
