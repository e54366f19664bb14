import { NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { namesOfWorkflow } from '../api/workflow-id.ts';
import { apiKeyOf, connectionOptionsOf, type TemporalAddress } from '../clients/temporal/connection.ts';
import type { Config } from '../config/config.ts';
import { type QueueName, taskQueues } from '../domain/task-queues.ts';
import { type Log, type TemporalLogger, temporalLogger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { temporalMetrics } from '../telemetry/sdk-metrics.ts';
import { sinksOf } from './sinks.ts';
import { workflowCode } from './workflow-code.ts';

/** What the workers are made of. */
export interface KcoWorkersOptions {
  config: Config;
  activities: Activities;
  metrics: Metrics;
  /** Of KCO: stands in the history of every workflow as what ran it. */
  version: string;
}

/** The SDK's own debugging shows payloads, and there is a way to see those already: the Web UI. */
const withoutDebugging = (logger: TemporalLogger): TemporalLogger => ({
  ...logger,
  trace: () => undefined,
  debug: () => undefined,
  log: (level, message, meta) => {
    if (level !== 'TRACE' && level !== 'DEBUG') logger.log(level, message, meta);
  },
});

/** Sets up the SDK's runtime of this process: its log goes through ours, and signals are ours to handle. */
export function installRuntime(log: Log, metricsPort: number): { metricsUrl: string } {
  const { metrics, url } = temporalMetrics(metricsPort);
  Runtime.install({
    logger: withoutDebugging(temporalLogger(log, namesOfWorkflow)),
    // The SDK's native half would write lines of its own making to the terminal.
    telemetryOptions: { logging: { forward: {} }, metrics },
    shutdownSignals: [],
  });
  return { metricsUrl: url };
}

/** How often a worker's connection is given the API key again, in case its file was replaced. */
const keyEveryMs = 5_000;

/** A connection for a worker, and its end. */
export interface WorkerConnection {
  connection: NativeConnection;
  close(): Promise<void>;
}

/** Connects; rejects while Temporal is away. The SDK takes a new API key here, but does not ask for one as the client does. */
export async function connectWorker(address: TemporalAddress, everyMs = keyEveryMs): Promise<WorkerConnection> {
  const apiKey = apiKeyOf(address);
  let given = apiKey();
  const connection = await NativeConnection.connect({
    ...connectionOptionsOf(address),
    ...(given !== undefined && { apiKey: given }),
  });
  const giveKey = (): void => {
    const key = apiKey();
    if (key === undefined || key === given) return;
    given = key;
    void connection.setApiKey(key);
  };
  const giving = setInterval(giveKey, everyMs).unref();
  return {
    connection,
    close: async () => {
      clearInterval(giving);
      await connection.close();
    },
  };
}

/** State of the SDK's worker, by task queue. */
export type States = Record<QueueName, string>;

/** The workers of a process, one for each task queue, over one connection. They begin and end together. */
export interface KcoWorkers {
  states(): States;
  /** Works until `shutdown`, then closes the connection. When one fails the others end what they have begun, and it rejects. */
  run(): Promise<void>;
  /** Takes no more work. Called again, or before `run`, it does nothing. */
  shutdown(): void;
}

type WorkerSetup = Pick<
  WorkerOptions,
  | 'activities'
  | 'activityTaskPollerBehavior'
  | 'maxConcurrentWorkflowTaskExecutions'
  | 'nonStickyToStickyPollRatio'
  | 'sinks'
  | 'workflowBundle'
>;

/**
 * Workflow tasks under way at once. All of them share one thread, and Temporal takes back what is not done within ten
 * seconds. Where many histories are to be replayed (this process has started, or another replica has ended), too many at once
 * would all be late, and begin anew, and be late again.
 */
const workflowTasksAtOnce = 6;

const activityPollers = (maximum: number): WorkerSetup['activityTaskPollerBehavior'] => ({
  type: 'simple-maximum',
  maximum,
});

/** What is special to the worker of each task queue. */
const setups = async ({ activities, metrics }: KcoWorkersOptions): Promise<Record<QueueName, WorkerSetup>> => {
  const { recordEvents, reportStatus } = activities;
  return {
    // Few pollers: what waits for work here is idle most of the time.
    actions: { activities, activityTaskPollerBehavior: activityPollers(3) },
    events: { activities: { recordEvents }, activityTaskPollerBehavior: activityPollers(3) },
    polls: {
      activities,
      sinks: sinksOf(metrics),
      workflowBundle: { code: await workflowCode() },
      maxConcurrentWorkflowTaskExecutions: workflowTasksAtOnce,
      // The SDK's default leaves one of six to ask for workflows that begin, and these come many at once, each by a poll of its own.
      nonStickyToStickyPollRatio: 0.5,
    },
    reports: { activities: { reportStatus }, activityTaskPollerBehavior: activityPollers(5) },
  };
};

function createWorker(options: KcoWorkersOptions, connection: NativeConnection, name: QueueName, setup: WorkerSetup) {
  const { temporal, worker, identity } = options.config;
  return Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: taskQueues[name](temporal.taskQueue),
    // In every event of every history: short.
    identity: identity.pod,
    buildId: options.version,
    // One isolate beside the main one: a second costs its own heap and copy of the bundle, and turns are short.
    workflowThreadPoolSize: 1,
    maxCachedWorkflows: worker.maxCachedWorkflows,
    // A replica that is gone holds a task of a workflow that it had cached for that long, and a quiet workflow has no other
    // task by which Temporal would have noticed before.
    stickyQueueScheduleToStartTimeout: '3s',
    maxConcurrentActivityTaskExecutions: worker.slots[name],
    shutdownGraceTime: worker.shutdownGraceMs,
    shutdownForceTime: worker.shutdownGraceMs + 5_000,
    ...setup,
  });
}

const shutdown = (workers: Iterable<Worker>): void => {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
};

/** Runs all until they are shut down; when one fails, the others are shut down as well. Rejects with the first failure. */
async function runAll(workers: Worker[]): Promise<void> {
  const ends = await Promise.allSettled(workers.map((worker) => worker.run().finally(() => shutdown(workers))));
  const failed = ends.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  if (failed !== undefined) throw failed.reason;
}

/** Connects and creates the workers; rejects while Temporal is away. */
export async function createKcoWorkers(options: KcoWorkersOptions): Promise<KcoWorkers> {
  const { connection, close } = await connectWorker(options.config.temporal);
  const workers = new Map<QueueName, Worker>();
  try {
    for (const [name, setup] of Object.entries(await setups(options)) as [QueueName, WorkerSetup][])
      workers.set(name, await createWorker(options, connection, name, setup));
  } catch (error) {
    // A worker lets go of its connection when it ends, and only one that has run ends.
    const begun = runAll([...workers.values()]);
    shutdown(workers.values());
    await begun.catch(() => undefined);
    await close();
    throw error;
  }
  return {
    states: () => Object.fromEntries([...workers].map(([name, worker]) => [name, worker.getState()])) as States,
    run: () => runAll([...workers.values()]).finally(close),
    shutdown: () => shutdown(workers.values()),
  };
}
