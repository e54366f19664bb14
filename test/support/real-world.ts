import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type SampleApp, startSampleApp } from '../../dev/sample-app/app.ts';
import type { AppState } from '../../dev/sample-app/fleet.ts';
import { createToolLocator } from '../../dev/servers/locate-tool.ts';
import { type Servers, type ServersOptions, startServers } from '../../dev/servers/start-servers.ts';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import { createKube, type Kube, type KubeObject } from '../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { type ShutdownStack, startAll } from '../../src/lifecycle/shutdown-stack.ts';
import { historyText } from './history-text.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { operatorBinding, operatorRole } from './operator-role.ts';
import { type OperatorInside, type OperatorProcess, operatorInside, operatorProcess } from './operator-under-test.ts';
import { type RecordedApp, type RecordedEvent, type RecordedPod, type Recorder, startRecorder } from './recorder.ts';
import { createTestStack } from './test-stack.ts';
import { until } from './until.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';
import type { RunEvent } from './workflow-env.ts';

const namespace = 'default';
const root = join(import.meta.dirname, '..', '..');
const appRef = refOf(kinds.TargetApp);

/** Real servers, a sample application behind every pod, somebody to call, and an operator when a test starts one. */
export interface RealWorld {
  servers: Servers;
  /** As the administrator. */
  kube: Kube;
  kubectl: Kubectl;
  temporal: Client;
  app: SampleApp;
  receiver: WebhookReceiver;
  recorder: Recorder;
  /** Where commands run that are executed in a pod. */
  execDir: string;
  /** Creates the object, or makes it what the manifest says, and nothing that an earlier manifest said. */
  apply(manifest: JsonObject): Promise<KubeObject>;
  /** A Deployment of the sample application; resolves with its pods when they run. */
  runApp(name: string, replicas?: number): Promise<RecordedPod[]>;
  /** Applies a TargetApp that watches the app of its name every second; some of its spec replaced. */
  watchApp(name: string, spec?: JsonObject, annotations?: Record<string, string>): Promise<void>;
  /** The same, and waits until its first report under this spec. */
  monitor(name: string, spec?: JsonObject): Promise<RecordedApp>;
  deleteApp(name: string): Promise<void>;
  /** Waits until so many pods of an app run, and no others are there. */
  pods(name: string, count?: number): Promise<RecordedPod[]>;
  /** Makes a pod of the sample application say something else; the time at which it did. */
  says(pod: RecordedPod | undefined, state: Partial<AppState>): number;
  /** The TargetApp as it is now. */
  targetApp(name: string): RecordedApp | undefined;
  /** Events that regard the TargetApp of that name. */
  events(name: string, reason?: string): RecordedEvent[];
  /** Waits until there is an Event with that reason, and words in its message. */
  event(name: string, reason: string, words?: string): Promise<RecordedEvent>;
  /** Names of the app's pods whose deletion was seen, in order; waits for so many, since an Event may be told before the deletion. */
  deletedPods(name: string, atLeast: number): Promise<string[]>;
  /** The workflow id of a TargetApp. */
  workflowId(app: RecordedApp): string;
  /** Whether the workflow runs, or how it ended. */
  workflowStatus(app: RecordedApp): Promise<string>;
  /** All that stands in the history of a TargetApp's workflow, payloads decoded. */
  history(app: RecordedApp): Promise<string>;
  /** The events of its present run. */
  historyEvents(app: RecordedApp): Promise<RunEvent[]>;
  /** An operator in this process, with the rights of the role; `settings` as in its environment. */
  operate(settings?: Record<string, string>): Promise<OperatorInside>;
  /** An operator as a process. */
  spawnOperator(settings?: Record<string, string>): Promise<OperatorProcess>;
  stop(): Promise<void>;
}

/** A Deployment whose pods say that they listen where the sample application does. */
const deploymentOf = (name: string, replicas: number, port: number): JsonObject => {
  const labels = { app: name };
  const containers = [{ name: 'app', image: 'sample-app', ports: [{ containerPort: port }] }];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
};

/** A TargetApp that watches the app of its name every second. */
export const targetAppOf = (name: string, spec: JsonObject = {}, annotations?: Record<string, string>): JsonObject => ({
  apiVersion: appRef.apiVersion,
  kind: appRef.kind,
  metadata: { namespace, name, ...(annotations && { annotations }) },
  spec: {
    selector: { matchLabels: { app: name } },
    pollingInterval: 1,
    stateQuery: 'query AppState { application { status health pendingTasks lastError } }',
    ...spec,
  },
});

/** The trigger that most stories are about. */
export const whenUnhealthy = { field: 'application.health', condition: 'equals', value: 'unhealthy' };

async function applyCrds(kubectl: Kubectl): Promise<void> {
  const { code, stderr } = await kubectl(['apply', '-f', join(root, 'crds')]);
  if (code !== 0) throw new Error(stderr);
  await until('TargetApps are served', async () => (await kubectl(['get', 'targetapps'])).code === 0);
}

/** kwok gives addresses away again: whoever gets one is another instance of the application. */
function forgetTheDead(recorder: Recorder, app: SampleApp): void {
  const addresses = new Map<string, string>();
  recorder.onPod(({ type, object: { metadata, status } }) => {
    const ip = status?.podIP;
    if (ip === undefined) return;
    const isNew = type !== 'deleted' && addresses.get(ip) !== metadata.uid;
    const isGone = type === 'deleted' && addresses.get(ip) === metadata.uid;
    if (isNew || isGone) app.forget(ip);
    if (isGone) addresses.delete(ip);
    else if (isNew) addresses.set(ip, metadata.uid);
  });
}

type WorldOptions = Pick<ServersOptions, 'dynamicConfig' | 'nodes' | 'searchAttributes'>;

/** How long servers and operators may take to end. */
const endWithinMs = 60_000;

/** Starts everything but the operator. `settings` go to every operator of this world; `serversOptions` is how the servers are set up. */
export function startWorld(
  settings: Record<string, string> = {},
  serversOptions: WorldOptions = {},
): Promise<RealWorld> {
  const stack = createTestStack();
  return startAll(stack, () => worldIn(stack, settings, serversOptions));
}

/** The servers of a world, and who is asked and told by what runs on them. */
async function startSurroundings(stack: ShutdownStack, serversOptions: WorldOptions) {
  const scratch = mkdtempSync(join(tmpdir(), 'kco-world-'));
  void stack.push('scratch', () => rmSync(scratch, { recursive: true, force: true }));
  const execDir = join(scratch, 'exec');
  mkdirSync(execDir);
  const servers = await startServers({ execWorkDir: execDir, headless: true, ...serversOptions });
  void stack.push('servers', servers.stop, endWithinMs);
  const app = await startSampleApp();
  void stack.push('sample application', app.close);
  const receiver = await startWebhookReceiver();
  void stack.push('webhook receiver', receiver.close);
  return { execDir, servers, app, receiver };
}

async function worldIn(
  stack: ShutdownStack,
  settings: Record<string, string>,
  serversOptions: WorldOptions,
): Promise<RealWorld> {
  const { execDir, servers, app, receiver } = await startSurroundings(stack, serversOptions);
  const { kubeconfig } = servers.kubernetes;
  const kube = createKube({ kubeconfig });
  void stack.push('kubernetes connection', kube.close);
  const kubectl = createKubectl(await createToolLocator().locate('kubectl'), kubeconfig);
  await applyCrds(kubectl);
  const recorder = await startRecorder(kube, appRef);
  void stack.push('recorder', recorder.stop);
  forgetTheDead(recorder, app);
  const connection = await Connection.connect({ address: servers.temporal.address });
  void stack.push('temporal connection', () => connection.close());
  const temporal = new Client({ connection, namespace: servers.temporal.namespace });

  const environment = {
    KUBECONFIG: await servers.kubernetes.kubeconfigFor('kco'),
    KCO_TEMPORAL_ADDRESS: servers.temporal.address,
    KCO_TEMPORAL_NAMESPACE: servers.temporal.namespace,
    // As in the chart: two that run at the same time share the work.
    KCO_LEADER_ELECTION: 'true',
    ...settings,
  };
  const apply: RealWorld['apply'] = async (manifest) => {
    const { apiVersion, kind, metadata } = manifest as unknown as KubeObject;
    const ref = await kube.discover(apiVersion ?? '', kind ?? '');
    if (ref === undefined) throw new Error(`the API server has no ${kind}`);
    const body = { type: 'apply', body: manifest, fieldManager: 'test', force: true } as const;
    return kube.patch(ref, ref.namespaced ? { namespace, name: metadata.name } : { name: metadata.name }, body);
  };
  await apply(operatorRole as JsonObject);
  await apply(operatorBinding as JsonObject);

  const podsNow = (name: string) => recorder.present.pods().filter(({ metadata }) => metadata.labels?.['app'] === name);
  const pods: RealWorld['pods'] = (name, count = 1) =>
    until(
      `${count} pods of ${name} run`,
      () => {
        const all = podsNow(name);
        const running = all.filter((pod) => pod.status?.phase === 'Running' && pod.status.podIP !== undefined);
        return all.length === count && running.length === count ? running : undefined;
      },
      // Kubernetes' own controllers come back from an absence of the API server in their own time, up to half a minute.
      { instead: () => podsNow(name), timeoutMs: 120_000 },
    );
  const targetApp = (name: string) => recorder.present.apps().find(({ metadata }) => metadata.name === name);
  const events = (name: string, reason?: string) =>
    recorder.present
      .events()
      .filter(
        ({ involvedObject, reason: why }) =>
          involvedObject.kind === 'TargetApp' &&
          involvedObject.name === name &&
          (reason === undefined || why === reason),
      );
  const watchApp: RealWorld['watchApp'] = async (name, spec, annotations) =>
    void (await apply(targetAppOf(name, spec, annotations)));
  const workflowId = ({ metadata }: RecordedApp) => `targetapp/${metadata.namespace}/${metadata.name}/${metadata.uid}`;

  return {
    servers,
    kube,
    kubectl,
    temporal,
    app,
    receiver,
    recorder,
    execDir,
    apply,
    pods,
    targetApp,
    events,
    watchApp,
    workflowId,
    runApp: async (name, replicas = 1) => {
      await apply(deploymentOf(name, replicas, app.port));
      return pods(name, replicas);
    },
    monitor: async (name, spec) => {
      const applied = await apply(targetAppOf(name, spec));
      return until(
        `TargetApp ${name} is monitored under generation ${applied.metadata.generation}`,
        () => {
          const found = targetApp(name);
          const { observedGeneration, phase } = found?.status ?? {};
          return observedGeneration === applied.metadata.generation && phase === 'Monitoring' ? found : undefined;
        },
        { instead: () => targetApp(name)?.status },
      );
    },
    deleteApp: async (name) => void (await kube.delete(appRef, { namespace, name })),
    says: (pod, state) => {
      const ip = pod?.status?.podIP;
      if (ip === undefined) throw new Error('a pod without an address says nothing');
      app.setState(ip, state);
      return Date.now();
    },
    event: (name, reason, words = '') =>
      until(
        `there is an Event ${reason} of ${name} with the words "${words}"`,
        () => events(name, reason).find(({ message }) => message.includes(words)),
        { instead: () => events(name).map((each) => `${each.reason}: ${each.message}`) },
      ),
    deletedPods: (name, atLeast) => {
      const told = () =>
        recorder.pods
          .filter(({ type, object }) => type === 'deleted' && object.metadata.labels?.['app'] === name)
          .map(({ object }) => object.metadata.name);
      return until(
        `${atLeast} pods of ${name} are deleted`,
        () => {
          const deleted = told();
          return deleted.length >= atLeast && deleted;
        },
        // kwok, too, comes back from an absence of the API server in its own time.
        { instead: told, timeoutMs: 120_000 },
      );
    },
    workflowStatus: async (of) => (await temporal.workflow.getHandle(workflowId(of)).describe()).status.name,
    history: async (of) => historyText(await temporal.workflow.getHandle(workflowId(of)).fetchHistory()),
    historyEvents: async (of) => (await temporal.workflow.getHandle(workflowId(of)).fetchHistory()).events ?? [],
    operate: async (more = {}) => {
      const operator = await operatorInside({ ...environment, POD_NAME: 'kco-inside', ...more });
      await stack.push('operator', operator.stop, endWithinMs);
      return operator;
    },
    spawnOperator: async (more = {}) => {
      const operator = await operatorProcess({ ...environment, POD_NAME: 'kco-process', ...more });
      await stack.push('operator process', () => operator.end('SIGKILL'), endWithinMs);
      return operator;
    },
    stop: stack.end,
  };
}
