import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { startSampleApp } from '../dev/sample-app/app.ts';
import { startServers } from '../dev/servers/start-servers.ts';
import { createKube, type KubeObject, type ResourceRef } from '../src/clients/kubernetes/client.ts';
import { createShutdownStack } from '../src/lifecycle/shutdown-stack.ts';
import { freeLoopbackPort } from '../src/telemetry/sdk-metrics.ts';
import { changesMissed, lagPercentile, pollCounts } from './figures.ts';

// `node bench/polling.ts [--apps 200] [--interval 5] [--pods 1] [--seconds 60]`: a fleet of TargetApps on real servers.
// Prints polls/s, how late polls started, CPU per poll of the operator and of Temporal, memory, events that a change and its
// consequences add to a history, and whether a change was missed.

const { values } = parseArgs({
  options: {
    apps: { type: 'string', default: '200' },
    interval: { type: 'string', default: '5' },
    pods: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    log: { type: 'string', default: '/dev/null' },
  },
});
const [apps, interval, podsPerApp, seconds] = [values.apps, values.interval, values.pods, values.seconds].map(
  Number,
) as [number, number, number, number];

const ref = (apiVersion: string, kind: string, plural: string): ResourceRef => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});
const deployments = ref('apps/v1', 'Deployment', 'deployments');
const pods = ref('v1', 'Pod', 'pods');
const events = ref('v1', 'Event', 'events');
const targetApps = ref('operator.kco.local/v1alpha1', 'TargetApp', 'targetapps');
const crds: ResourceRef = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
};

const ticksPerSecond = 100;
/** CPU seconds (user and system) that a process has used, from /proc. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

async function until<T>(what: string, look: () => Promise<T | undefined>, patienceMs = 120_000): Promise<T> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(250);
  }
  throw new Error(`${what}: not within ${patienceMs / 1000} s`);
}

const say = (line: string) => console.error(`bench: ${line}`);
const stack = createShutdownStack((name, error) => say(`${name}: ${(error as Error).message}`));
/** Ends what runs, also after a failure, and then this process. */
const leave = async (code: number): Promise<never> => {
  await stack.end();
  process.exit(code);
};
process.once('uncaughtException', (error) => {
  console.error(error);
  void leave(1);
});
const servers = await startServers({
  onProgress: say,
  podCidr: '127.30.0.0/16',
  nodes: Math.ceil((apps * podsPerApp) / 100),
  headless: true,
});
await stack.push('servers', servers.stop, 30_000);
const app = await startSampleApp({});
await stack.push('sample application', app.close);
const kube = createKube({ kubeconfig: servers.kubernetes.kubeconfig });
await stack.push('kubernetes connection', kube.close);
const { parse } = await import('yaml');
const crd = parse(readFileSync(new URL('../crds/operator.kco.local_targetapps.yaml', import.meta.url), 'utf8'));
await kube.create(crds, crd);

const namespace = 'default';
const nameOf = (i: number) => `app-${String(i).padStart(4, '0')}`;
say(`creating ${apps} Deployments of ${podsPerApp} pods`);
for (let i = 0; i < apps; i++) {
  const labels = { app: nameOf(i) };
  const containers = [{ name: 'app', image: 'none', ports: [{ containerPort: app.port }] }];
  const spec = {
    replicas: podsPerApp,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
  };
  await kube.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: nameOf(i), namespace },
    spec,
  });
}
interface Pod extends KubeObject {
  status?: { phase?: string; podIP?: string };
}
const running = await until(`${apps * podsPerApp} running pods`, async () => {
  const { items } = await kube.list<Pod>(pods, { namespace });
  const ready = items.filter(({ status }) => status?.phase === 'Running' && status.podIP !== undefined);
  return ready.length === apps * podsPerApp ? ready : undefined;
});
await until('the kind', async () => ((await kube.isServed(targetApps)) ? true : undefined));
for (let i = 0; i < apps; i++) {
  const rule = {
    trigger: { field: 'application.health', condition: 'equals', value: 'on fire' },
    action: 'restart_pod',
  };
  const spec = {
    selector: { matchLabels: { app: nameOf(i) } },
    pollingInterval: interval,
    stateQuery: 'query AppState { application { status health pendingTasks lastError } }',
    actions: [rule],
  };
  await kube.create(targetApps, {
    apiVersion: targetApps.apiVersion,
    kind: 'TargetApp',
    metadata: { name: nameOf(i), namespace },
    spec,
  });
}

const metricsPort = await freeLoopbackPort();
const counts = async () => pollCounts(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
const operator = spawn(process.execPath, ['--max-semi-space-size=8', '--heap-growing-percent=20', 'src/main.ts'], {
  env: {
    ...process.env,
    // As `npm start` and the image run it.
    MALLOC_ARENA_MAX: '2',
    KUBECONFIG: servers.kubernetes.kubeconfig,
    KCO_TEMPORAL_ADDRESS: servers.temporal.address,
    KCO_HEALTH_PORT: '0',
    KCO_METRICS_PORT: String(metricsPort),
    KCO_BIND_ADDRESS: '127.0.0.1',
  },
  stdio: ['ignore', openSync(values.log, 'w'), 'inherit'],
});
operator.once('exit', (code, signal) => {
  if (code !== 0) throw new Error(`the operator ended: ${code ?? signal}`);
});
const pid = operator.pid ?? 0;
await stack.push(
  'operator',
  async () => {
    if (operator.kill('SIGTERM')) await once(operator, 'exit');
  },
  30_000,
);
interface TargetApp extends KubeObject {
  status?: { phase?: string };
}
const started = Date.now();
await until('all TargetApps monitoring', async () => {
  const { items } = await kube.list<TargetApp>(targetApps, { namespace });
  return items.every(({ status }) => status?.phase === 'Monitoring') ? true : undefined;
});
say(
  `all ${apps} monitored ${((Date.now() - started) / 1000).toFixed(1)} s after the operator's start; measuring for ${seconds} s`,
);

const connection = await Connection.connect({ address: servers.temporal.address });
await stack.push('temporal connection', () => connection.close());
const client = new Client({ connection });
/** Events in the histories of all workflows. */
async function historyLength(): Promise<number> {
  let events = 0;
  for await (const { workflowId } of client.workflow.list())
    events += (await client.workflow.getHandle(workflowId).describe()).historyLength;
  return events;
}

const eventsBefore = await historyLength();
const from = Date.now();
const countedBefore = await counts();
const temporalPid = servers.pids().temporal ?? 0;
const before = { operator: cpuSeconds(pid), temporal: cpuSeconds(temporalPid) };
// Every pod changes its health once, spread over the time, so that most polls stay unchanged ones.
const flipEveryMs = ((seconds - 2 * interval) * 1000) / running.length;
for (const [i, pod] of running.entries()) {
  app.setState(pod.status?.podIP ?? '', { health: 'degraded' });
  await sleep(Math.max(0, from + (i + 1) * flipEveryMs - Date.now()));
}
await sleep(Math.max(0, from + seconds * 1000 - Date.now()));
const to = Date.now();
const used = { operator: cpuSeconds(pid) - before.operator, temporal: cpuSeconds(temporalPid) - before.temporal };
const memory = { operator: rssMiB(pid), temporal: rssMiB(temporalPid) };

const countedAfter = await counts();
const polls = countedAfter.polls - countedBefore.polls;
const eventsAdded = (await historyLength()) - eventsBefore;
const { items } = await kube.list<KubeObject & { reason?: string; message?: string }>(events, { namespace });
const missed = changesMissed(
  running.map(({ metadata }) => metadata.name),
  items,
);
const wanted = (apps * (to - from)) / 1000 / interval;
const lagMs = (percent: number): number => lagPercentile(countedBefore, countedAfter, percent);

const figures = {
  machine: `${cpus().length} x ${cpus()[0]?.model}`,
  load: `${apps} TargetApps x ${podsPerApp} pods, every ${interval} s, for ${seconds} s`,
  'polls, of those due': `${polls} of ${Math.round(wanted)}`,
  'polls per second': (polls / ((to - from) / 1000)).toFixed(1),
  'lag p50 ms, at most': lagMs(50),
  'lag p99 ms, at most': lagMs(99),
  'CPU ms per poll, operator': ((used.operator * 1000) / polls).toFixed(2),
  'CPU ms per poll, Temporal': ((used.temporal * 1000) / polls).toFixed(2),
  'RSS MiB, operator': memory.operator.toFixed(0),
  'RSS MiB, Temporal': memory.temporal.toFixed(0),
  'history events per change': (eventsAdded / running.length).toFixed(1),
  'changes missed': `${missed} of ${running.length}`,
};
for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(34)} ${value}`);
await leave(missed === 0 && lagMs(99) <= 1000 ? 0 : 1);
