import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import proto from '@temporalio/proto';
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import { startServers } from '../../dev/servers/start-servers.ts';
import type { ObjectRef } from '../../src/domain/refs.ts';
import { type QueueName, taskQueues } from '../../src/domain/task-queues.ts';
import { workflowCode } from '../../src/worker/workflow-code.ts';
import { attributesOf, standingOf } from '../../src/workflows/search-attributes.ts';
import type { targetApp } from '../../src/workflows/target-app/target-app.ts';
import type { FakeActivities } from './fake-activities.ts';

/** Temporal's own types of histories, to write, read and measure them. */
export const { History, HistoryEvent } = proto.temporal.api.history.v1;
export type RunHistory = proto.temporal.api.history.v1.IHistory;
export type RunEvent = proto.temporal.api.history.v1.IHistoryEvent;

const quiet = new DefaultLogger('ERROR');

let bundled: Promise<WorkflowBundle> | undefined;
/** The workflow bundle of the present source. */
export const workflowBundle = (): Promise<WorkflowBundle> => {
  bundled ??= workflowCode().then((code) => ({ code }));
  return bundled;
};

let isRuntimeInstalled = false;
/** The SDK's runtime says only what went wrong. */
export function installQuietRuntime(): void {
  if (isRuntimeInstalled) return;
  isRuntimeInstalled = true;
  Runtime.install({ logger: quiet, shutdownSignals: [], telemetryOptions: { logging: { filter: 'ERROR' } } });
}

/** One TargetApp's workflow among fake activities. */
export interface Execution {
  app: ObjectRef;
  fakes: FakeActivities;
  handle: WorkflowHandle<typeof targetApp>;
  /** The events of the run that is there now, or of another one. */
  history(runId?: string): Promise<RunHistory>;
  /** Lets the object be deleted, and waits until the workflow has ended. */
  end(): Promise<void>;
}

/** A Temporal dev server of its own, and executions in it: each with its own workers and task queues. */
export interface WorkflowEnv {
  client: Client;
  /** Starts the workflow of a TargetApp among these fake activities; with some search attributes only, where those are named. */
  start(fakes: FakeActivities, app?: Partial<ObjectRef>, attributes?: string[]): Promise<Execution>;
  stop(): Promise<void>;
}

/** Timers that are late by up to a second would be most of what a fast test waits for. */
const promptTimers = { 'history.timerProcessorMaxTimeShift': '1ms', 'history.transferProcessorMaxPollInterval': '1s' };

/** One worker for each task queue, as the operator has them */
async function startWorkers(connection: NativeConnection, namespace: string, taskQueue: string, fakes: FakeActivities) {
  const common = {
    connection,
    namespace,
    identity: 'kco-0',
    buildId: '0.1.0',
    shutdownGraceTime: 0,
    shutdownForceTime: '5s',
    maxHeartbeatThrottleInterval: '500ms',
  } as const;
  const create = (name: QueueName, special: Partial<WorkerOptions>) =>
    Worker.create({
      ...common,
      taskQueue: taskQueues[name](taskQueue),
      activities: fakes.activities,
      ...special,
    });
  const workers = await Promise.all([
    create('polls', { workflowBundle: await workflowBundle(), sinks: fakes.sinks }),
    create('actions', { maxConcurrentActivityTaskPolls: 2 }),
    create('events', { maxConcurrentActivityTaskPolls: 2 }),
    create('reports', { maxConcurrentActivityTaskPolls: 2 }),
  ]);
  const running = workers.map((worker) => worker.run());
  return async () => {
    for (const worker of workers) worker.shutdown();
    await Promise.allSettled(running);
  };
}

const allAttributes = {
  KcoKind: 'Keyword',
  KcoName: 'Keyword',
  KcoNamespace: 'Keyword',
  KcoPhase: 'Keyword',
  KcoReady: 'Bool',
};

/** Starts a Temporal dev server for a test file. `dynamicConfig` as Temporal has it; `searchAttributes` by name, with their types. */
export async function startWorkflowEnv(
  dynamicConfig: Record<string, unknown> = {},
  searchAttributes: Record<string, string> = allAttributes,
): Promise<WorkflowEnv> {
  installQuietRuntime();
  const servers = await startServers({
    parts: 'temporal',
    headless: true,
    searchAttributes,
    dynamicConfig: { ...promptTimers, ...dynamicConfig },
  });
  const { address, namespace } = servers.temporal;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const client = new Client({ connection, namespace });
  const workers: (() => Promise<void>)[] = [];

  const start = async (
    fakes: FakeActivities,
    partial: Partial<ObjectRef> = {},
    attributes?: string[],
  ): Promise<Execution> => {
    const app = { namespace: 'default', name: 'my-app', uid: randomUUID(), ...partial };
    const taskQueue = `kco-${workers.length}`;
    workers.push(await startWorkers(native, namespace, taskQueue, fakes));
    const workflowId = `targetapp/${app.namespace}/${app.name}/${app.uid}`;
    const handle = await client.workflow.start<typeof targetApp>('targetApp', {
      workflowId,
      taskQueue,
      args: [{ app, ...(attributes && { attributes }) }],
      staticSummary: `TargetApp **${app.namespace}/${app.name}**`,
      typedSearchAttributes: new TypedSearchAttributes(
        [...standingOf('Initializing', false), ...attributesOf('TargetApp', app)].filter(
          ({ key }) => attributes?.includes(key.name) ?? true,
        ),
      ),
    });
    const latest = client.workflow.getHandle<typeof targetApp>(workflowId);
    return {
      app,
      fakes,
      handle: latest,
      history: (runId) => client.workflow.getHandle(workflowId, runId).fetchHistory(),
      end: async () => {
        fakes.isDeleted = true;
        await latest.signal('resourceChanged');
        await handle.result();
      },
    };
  };
  return {
    client,
    start,
    stop: async () => {
      await Promise.all(workers.map((stop) => stop()));
      await native.close();
      await connection.close();
      await servers.stop();
    },
  };
}
