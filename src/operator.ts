import { setTimeout as sleep } from 'node:timers/promises';
import { type WatchedApp, watchedApp } from './activities/apps.ts';
import { createActivities } from './activities/index.ts';
import { type PodView, podView } from './activities/pod-view.ts';
import { createGraphql } from './clients/graphql.ts';
import { createHttp } from './clients/http.ts';
import { createKube, type Kube, type ResourceRef } from './clients/kube.ts';
import type { Log } from './clients/log.ts';
import type { Metrics } from './clients/metrics.ts';
import { createTemporalClient } from './clients/temporal.ts';
import { createWatchCache, type WatchCacheOptions } from './clients/watch-cache.ts';
import type { Config } from './config.ts';
import { createController } from './controller/controller.ts';
import { createConversations } from './controller/conversations.ts';
import { createLeader } from './controller/leader.ts';
import { checkServed, createTemporalPrerequisites } from './controller/prerequisites.ts';
import { registrations, resourceRefs } from './controller/registrations.ts';
import { type Surface, startSurface } from './controller/surface.ts';
import { createWatchman } from './controller/watchman.ts';
import type { WorkflowRef } from './domain/status.ts';
import { createKcoWorker, type KcoWorker } from './worker.ts';

/** What an operator is made of. */
export interface OperatorOptions {
  config: Config;
  log: Log;
  metrics: Metrics;
  version: string;
}

/** A running operator: controller and worker in one process. */
export interface Operator {
  surface: Surface;
  /** Rejects when the worker has failed for good. */
  readonly failed: Promise<never>;
  /** Stops taking work, lets what runs end within the grace period, and closes everything. */
  stop(): Promise<void>;
}

const podRef: ResourceRef = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
/** How often Temporal and the API server are asked whether they are there. */
const watchEveryMs = 3_000;
/** How often every object's workflow is made sure of, in case somebody ended one by hand. */
const resyncEveryMs = 10 * 60_000;

const workflowUrlIn =
  ({ temporal: { webUrl, namespace } }: Config) =>
  ({ id, runId }: WorkflowRef): string | undefined =>
    webUrl === undefined
      ? undefined
      : `${webUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(id)}/${runId}/history`;

function createCaches(
  { config, log, metrics }: OperatorOptions,
  kube: Kube,
  onChange: WatchCacheOptions<WatchedApp>['onChange'],
) {
  const watched = <T>(ref: ResourceRef, options: Pick<WatchCacheOptions<T>, 'trim' | 'onChange'>) => {
    const cache = createWatchCache<T>({
      kube,
      ref,
      namespaces: config.kubernetes.watchNamespaces,
      ...options,
      onError: (error, retryMs) => {
        metrics.failed({ category: 'kubernetes' });
        log.warning('watch interrupted', { resource: ref.plural, retry_ms: Math.round(retryMs), error });
      },
    });
    metrics.readWatchStaleness(ref.plural, () => cache.stalenessMs() / 1000);
    return cache;
  };
  return {
    apps: watched<WatchedApp>(resourceRefs.TargetApp, { trim: watchedApp, onChange }),
    pods: watched<PodView>(podRef, { trim: podView }),
  };
}

type Caches = ReturnType<typeof createCaches>;

function activitiesOf({ config, log, metrics, version }: OperatorOptions, kube: Kube, caches: Caches) {
  const { observing, actions, identity } = config;
  const http = createHttp({ maxBytes: observing.maxResponseBytes });
  const graphql = createGraphql({ http, retries: observing.maxRetries });
  return createActivities({
    clients: { kube, http, graphql },
    caches,
    telemetry: { metrics, log },
    settings: {
      defaults: {
        pollingInterval: observing.defaultIntervalMs / 1000,
        timeout: observing.timeoutMs / 1000,
        actionTimeout: actions.timeoutMs / 1000,
        retries: 3,
        statusHeartbeat: observing.statusHeartbeatMs / 1000,
        salt: version,
      },
      enabledActions: actions.enabled,
      limits: { maxStateBytes: observing.maxStateBytes, maxConcurrentQueries: observing.maxConcurrentQueries },
      instance: identity.pod,
      workflowUrl: workflowUrlIn(config),
    },
  });
}

/** The worker, created as soon as Temporal can be had, and what has become of it. */
function employ(options: OperatorOptions, activities: ReturnType<typeof activitiesOf>, signal: AbortSignal) {
  let employee: KcoWorker | undefined;
  const run = async (): Promise<void> => {
    while (employee === undefined && !signal.aborted) {
      try {
        employee = await createKcoWorker({ ...options, activities });
      } catch (error) {
        options.log.warning('no worker yet', { error });
        await sleep(2_000, undefined, { signal }).catch(() => undefined);
      }
    }
    if (employee === undefined) return;
    const { worker, connection } = employee;
    try {
      const ended = worker.run();
      // A stop that came while it was being created has nobody else to tell it.
      if (signal.aborted) worker.shutdown();
      await ended;
    } finally {
      await connection.close();
    }
    if (!signal.aborted) throw new Error('the worker ended by itself');
  };
  const running = run();
  return {
    running,
    /** State of the SDK's worker; `CONNECTING` before there is one. */
    state: () => employee?.worker.getState() ?? 'CONNECTING',
    stop: async () => {
      if (employee?.worker.getState() === 'RUNNING') employee.worker.shutdown();
      await running.catch(() => undefined);
    },
  };
}

const inMiB = (usage: NodeJS.MemoryUsage): Record<string, number> =>
  Object.fromEntries(Object.entries(usage).map(([part, bytes]) => [part, Math.round(bytes / 2 ** 20)]));

/** Takes part in the choice of the replica that tells Temporal. */
const leaderOf = (
  { config: { identity }, log, metrics }: OperatorOptions,
  kube: Kube,
  setLeading: (leading: boolean) => void,
) =>
  createLeader({
    kube,
    key: { namespace: identity.namespace, name: 'kco-operator' },
    identity: identity.pod,
    onGain: () => {
      log.info('leads');
      setLeading(true);
    },
    onLoss: () => {
      log.info('leads no more');
      setLeading(false);
    },
    onError: (error) => {
      metrics.failed({ category: 'kubernetes' });
      log.warning('lease not renewed', { error });
    },
  });

/** Counts monitors by namespace. */
function* byNamespace(apps: WatchedApp[]): Iterable<readonly [string, number]> {
  const counts = new Map<string, number>();
  for (const { metadata } of apps) counts.set(metadata.namespace, (counts.get(metadata.namespace) ?? 0) + 1);
  yield* counts;
}

/** Starts everything; resolves when the surface answers, which is before the rest is ready. */
export async function startOperator(options: OperatorOptions): Promise<Operator> {
  const { config, log, metrics, version } = options;
  const ending = new AbortController();
  const kube = createKube({ kubeconfig: config.kubernetes.kubeconfig, version });
  const client = createTemporalClient(config.temporal);
  const controller = createController({
    registration: registrations.TargetApp,
    conversations: createConversations(client, config.temporal.taskQueue),
    metrics,
    log,
    all: () => caches.apps.list(),
  });
  const caches = createCaches(options, kube, (event, object, previous) => {
    controller.onChange(event, object, previous);
    if (event === 'deleted') metrics.forget(object.metadata.namespace, object.metadata.name);
  });
  metrics.readActiveMonitors(() => byNamespace(caches.apps.list()));

  const onLoss = (what: string) => (error: unknown) => log.warning(`${what} is not as it should be`, { error });
  const prerequisites = createTemporalPrerequisites(client, config.temporal.namespace);
  const temporalWatch = createWatchman({
    everyMs: watchEveryMs,
    look: async (signal) => {
      const { isNew, registered } = await client.withAbortSignal(signal, prerequisites.ensure);
      if (registered.length > 0) log.info('search attributes registered', { search_attributes: registered });
      if (isNew) controller.resync();
    },
    onReturn: () => controller.resync(),
    onLoss: onLoss('temporal'),
  });
  const kubernetesWatch = createWatchman({
    everyMs: watchEveryMs,
    look: async (signal) => {
      await kube.ready({ signal });
      await checkServed(kube, resourceRefs.TargetApp);
    },
    onLoss: onLoss('kubernetes'),
  });
  const leader = config.leaderElection ? leaderOf(options, kube, controller.setLeading) : undefined;
  if (leader === undefined) controller.setLeading(true);
  const resync = setInterval(() => controller.resync(), resyncEveryMs).unref();

  caches.apps.start();
  caches.pods.start();
  const employed = employ(options, activitiesOf(options, kube, caches), ending.signal);
  const synced = (cache: { hasSynced: boolean }, what: string) => () => ({
    ok: cache.hasSynced,
    ...(!cache.hasSynced && { message: `the ${what} were not listed yet` }),
  });
  const surface = await startSurface({
    config: config.surface,
    metricsText: metrics.text,
    health: { worker: () => ({ ok: employed.state() !== 'FAILED', message: `worker is ${employed.state()}` }) },
    readiness: {
      kubernetes: () => kubernetesWatch.result,
      pods: synced(caches.pods, 'pods'),
      targetapps: synced(caches.apps, 'TargetApps'),
      temporal: () => temporalWatch.result,
      // A follower is ready: its worker shares the work, and it takes over when it must.
      leader: () => ({
        ok: true,
        message: leader === undefined || leader.isLeader ? 'leads' : `follows ${leader.holder ?? 'nobody yet'}`,
      }),
      worker: () => ({ ok: employed.state() === 'RUNNING', message: `worker is ${employed.state()}` }),
    },
    stats: () => ({
      leader: leader?.holder ?? config.identity.pod,
      isLeader: leader?.isLeader ?? true,
      targetApps: caches.apps.size,
      pods: caches.pods.size,
      waitingForTemporal: controller.pending,
      worker: employed.state(),
      watchStalenessSeconds: { targetapps: caches.apps.stalenessMs() / 1000, pods: caches.pods.stalenessMs() / 1000 },
      memoryMiB: inMiB(process.memoryUsage()),
    }),
  });

  return {
    surface,
    failed: employed.running.then(() => new Promise<never>(() => undefined)),
    stop: async () => {
      ending.abort();
      clearInterval(resync);
      await leader?.stop();
      await controller.stop();
      await employed.stop();
      await Promise.all([caches.apps.stop(), caches.pods.stop(), temporalWatch.stop(), kubernetesWatch.stop()]);
      await surface.close();
      await client.connection.close();
      await kube.close();
    },
  };
}
