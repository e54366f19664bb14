import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type InjectedSinks, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Activities } from './activities/index.ts';
import { type Log, temporalLogger } from './clients/log.ts';
import type { Metrics } from './clients/metrics.ts';
import { temporalMetrics } from './clients/scrape.ts';
import { apiKeyOf, connectionOptionsOf, type TemporalAddress } from './clients/temporal.ts';
import type { Config } from './config.ts';
import type { DecisionSinks } from './workflows/activities.ts';

/** What the worker is made of. */
export interface KcoWorkerOptions {
  config: Config;
  activities: Activities;
  metrics: Metrics;
  /** Of KCO: stands in the history of every workflow as what ran it. */
  version: string;
}

/** Where an image carries the workflows as one prepared file. */
const prepared = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
const bundler = fileURLToPath(new URL('./bundle-workflows.ts', import.meta.url));

/** The code of the workflows in one file: the image's, or one that is made now from source. */
async function workflowCode(): Promise<string> {
  if (existsSync(prepared)) return readFile(prepared, 'utf8');
  const scratch = await mkdtemp(join(tmpdir(), 'kco-workflows-'));
  try {
    const file = join(scratch, 'bundle.js');
    await promisify(execFile)(process.execPath, ['--no-warnings', bundler, file]);
    return await readFile(file, 'utf8');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Decisions of workflows become counts; on replay they do not. */
const sinksOf = (metrics: Metrics): InjectedSinks<DecisionSinks> => ({
  decisions: {
    ended: { fn: (_, type, status, seconds) => metrics.actionExecuted({ type, status, seconds }) },
    fired: { fn: (_, action) => metrics.triggerFired({ action }) },
    suppressed: { fn: (_, reason) => metrics.triggerSuppressed({ reason }) },
  },
});

/** Sets up the SDK's runtime of this process: its log goes through ours, and signals are ours to handle. */
export function installRuntime(log: Log, metricsPort: number): { metricsUrl: string } {
  const { metrics, url } = temporalMetrics(metricsPort);
  // The SDK's own debugging shows payloads, and there is a way to see those already: the Web UI.
  const logger = { ...temporalLogger(log), trace: () => undefined, debug: () => undefined };
  Runtime.install({ logger, telemetryOptions: { metrics }, shutdownSignals: [] });
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

/** A worker and the connection that it works over: whoever ends the one closes the other. */
export interface KcoWorker {
  worker: Worker;
  close(): Promise<void>;
}

/** Connects and creates the worker; rejects while Temporal is away. */
export async function createKcoWorker({ config, activities, metrics, version }: KcoWorkerOptions): Promise<KcoWorker> {
  const { temporal, worker, identity } = config;
  const { connection, close } = await connectWorker(temporal);
  try {
    const created = await Worker.create({
      connection,
      namespace: temporal.namespace,
      taskQueue: temporal.taskQueue,
      // In every event of every history: short.
      identity: identity.pod,
      buildId: version,
      workflowBundle: { code: await workflowCode() },
      activities,
      sinks: sinksOf(metrics),
      // One isolate beside the main one: a second costs its own heap and copy of the bundle, and turns are short.
      workflowThreadPoolSize: 1,
      maxCachedWorkflows: worker.maxCachedWorkflows,
      maxConcurrentActivityTaskExecutions: worker.maxConcurrentActivities,
      shutdownGraceTime: worker.shutdownGraceMs,
      shutdownForceTime: worker.shutdownGraceMs + 5_000,
    });
    return { worker: created, close };
  } catch (error) {
    await close();
    throw error;
  }
}
