import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import proto from '@temporalio/proto';
import {
  DefaultLogger,
  type LogEntry,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import { startServers } from '../../dev/servers/start-servers.ts';
import type { ObjectRef } from '../../src/domain/refs.ts';
import { type QueueName, taskQueues } from '../../src/domain/task-queues.ts';
import { type ShutdownStack, startAll } from '../../src/lifecycle/shutdown-stack.ts';
import { workflowCode } from '../../src/worker/workflow-code.ts';
import { attributesOf, standingOf } from '../../src/workflows/search-attributes.ts';
import type { targetApp } from '../../src/workflows/target-app/target-app.ts';
import { dispatchToFakes, type FakeActivities } from './fake-activities.ts';
import { createTestStack } from './test-stack.ts';

/** Temporal's own types of histories, to write, read and measure them. */
export const { History, HistoryEvent } = proto.temporal.api.history.v1;
export type RunHistory = proto.temporal.api.history.v1.IHistory;
export type RunEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** What the SDK has logged as an error. */
export const errorsLogged: LogEntry[] = [];
const quiet = new DefaultLogger('ERROR', (entry) => void errorsLogged.push(entry));

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

/** A Temporal dev server of its own, workers, and executions among fake activities of their own. */
export interface WorkflowEnv {
  client: Client;
  /** Starts the workflow of a TargetApp among these fake activities; with some search attributes only, where those are named. */
  start(fakes: FakeActivities, app?: Partial<ObjectRef>, more?: MoreInput): Promise<Execution>;
  stop(): Promise<void>;
}

/** What a workflow begins with beside its object. */
type MoreInput = Pick<Parameters<typeof targetApp>[0], 'attributes' | 'eventsPerRun'>;

const taskQueue = 'kco';

/** Timers that are late by up to a second would be most of what a fast test waits for. */
const promptTimers = { 'history.timerProcessorMaxTimeShift': '1ms', 'history.transferProcessorMaxPollInterval': '1s' };

/** One worker for each task queue, as the operator has them. */
async function startWorkers(
  connection: NativeConnection,
  namespace: string,
  fakes: ReadonlyMap<string, FakeActivities>,
) {
  const { activities, sinks } = dispatchToFakes(fakes);
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
      activities,
      ...special,
    });
  const workers = await Promise.all([
    create('polls', { workflowBundle: await workflowBundle(), sinks }),
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

/** How long servers and workers may take to end. */
const endWithinMs = 60_000;

/** A Temporal dev server, and two connections to it: a client's, and one for workers. */
async function connect(
  stack: ShutdownStack,
  dynamicConfig: Record<string, unknown>,
  searchAttributes: Record<string, string>,
) {
  const servers = await startServers({
    parts: 'temporal',
    headless: true,
    searchAttributes,
    dynamicConfig: { ...promptTimers, ...dynamicConfig },
  });
  await stack.push('servers', servers.stop, endWithinMs);
  const { address, namespace } = servers.temporal;
  const connection = await Connection.connect({ address });
  await stack.push('temporal connection', () => connection.close());
  const native = await NativeConnection.connect({ address });
  await stack.push('temporal connection of the workers', () => native.close());
  return { native, client: new Client({ connection, namespace }), namespace };
}

/** Starts a Temporal dev server for a test file. `dynamicConfig` as Temporal has it; `searchAttributes` by name, with their types. */
export async function startWorkflowEnv(
  dynamicConfig: Record<string, unknown> = {},
  searchAttributes: Record<string, string> = allAttributes,
): Promise<WorkflowEnv> {
  installQuietRuntime();
  const stack = createTestStack();
  const fakesOf = new Map<string, FakeActivities>();
  const client = await startAll(stack, async () => {
    const { native, client, namespace } = await connect(stack, dynamicConfig, searchAttributes);
    await stack.push('workers', await startWorkers(native, namespace, fakesOf), endWithinMs);
    return client;
  });

  const start = async (
    fakes: FakeActivities,
    partial: Partial<ObjectRef> = {},
    more: MoreInput = {},
  ): Promise<Execution> => {
    const app = { namespace: 'default', name: 'my-app', uid: randomUUID(), ...partial };
    const workflowId = `targetapp/${app.namespace}/${app.name}/${app.uid}`;
    fakesOf.set(workflowId, fakes);
    const handle = await client.workflow.start<typeof targetApp>('targetApp', {
      workflowId,
      taskQueue,
      args: [{ app, ...more }],
      staticSummary: `TargetApp **${app.namespace}/${app.name}**`,
      typedSearchAttributes: new TypedSearchAttributes(
        [...standingOf('Initializing', false), ...attributesOf('TargetApp', app)].filter(
          ({ key }) => more.attributes?.includes(key.name) ?? true,
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
        // A poll may have seen it already.
        await latest.signal('resourceChanged').catch((error) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        });
        await handle.result();
      },
    };
  };
  return { client, start, stop: stack.end };
}
