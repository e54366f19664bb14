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
import { connectionOptionsOf } from './clients/temporal.ts';
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

/** A worker and the connection that it works over: whoever ends the one closes the other. */
export interface KcoWorker {
  worker: Worker;
  connection: NativeConnection;
}

/** Connects and creates the worker; rejects while Temporal is away. */
export async function createKcoWorker({ config, activities, metrics, version }: KcoWorkerOptions): Promise<KcoWorker> {
  const { temporal, worker, identity } = config;
  const connection = await NativeConnection.connect(connectionOptionsOf(temporal));
  const creating = Worker.create({
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
  try {
    return { worker: await creating, connection };
  } catch (error) {
    await connection.close();
    throw error;
  }
}
