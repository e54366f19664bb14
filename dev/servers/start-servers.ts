import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from './cache.ts';
import type { Cluster } from './kubernetes.ts';
import type { KubernetesAccess } from './kubernetes-access.ts';
import { type ClusterPlan, type KubernetesServer, kubernetesServers } from './kubernetes-flags.ts';
import { createToolLocator, type ToolLocator } from './locate-tool.ts';
import { blockOf, claimPortOf, freePorts, maxSets } from './ports.ts';
import { createProcessSupervisor, type ProcessSupervisor } from './process-supervisor.ts';
import { assertRunning, run, runUntilReady, type ServerProcess, waitUntil } from './server-process.ts';
import {
  planTemporal,
  type TemporalAccess,
  type TemporalDevServer,
  type TemporalOptions,
  type TemporalPlan,
} from './temporal.ts';

/** The servers by name, as {@link Servers} takes and gives them. */
export type ServerName = KubernetesServer | 'temporal';

/** What to start. */
export interface ServersOptions extends TemporalOptions {
  /** Default `both`. */
  parts?: 'both' | 'kubernetes' | 'temporal';
  /** One log file per server goes here; default: the state directory, which is removed at the end. */
  logDir?: string;
  /** One line at a time about what is being waited for. */
  onProgress?: Progress;
  /** Fake nodes; default 1. */
  nodes?: number;
  /** Loopback addresses for pods, e.g. `127.21.0.0/16` for more than 250; default: a 127.20.x.0/24 that nobody else uses. */
  podCidr?: string;
  /** Where commands run that are executed in a pod; default: an empty directory. */
  execWorkDir?: string;
  /** Where the binaries come from; default: {@link createToolLocator}. */
  locator?: ToolLocator;
}

/** A running set of servers. It ends with this process at the latest, whatever ends this process. */
export interface Servers {
  /** Throws when that part was not asked for. */
  readonly kubernetes: KubernetesAccess;
  /** Throws when that part was not asked for. */
  readonly temporal: TemporalAccess;
  stateDir: string;
  logDir: string;
  /** The servers that run now. */
  pids(): Partial<Record<ServerName, number>>;
  /** Sends a signal, by default SIGKILL, and for one that ends the server waits until it has ended. */
  kill(name: ServerName, signal?: NodeJS.Signals): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(name: ServerName): Promise<void>;
  /** SIGCONT. */
  resume(name: ServerName): Promise<void>;
  /** Ends the server if it runs and starts it on the same port and data; resolves when it is ready. */
  restart(name: ServerName): Promise<void>;
  /** Stops Temporal, deletes its database and starts it again on the same ports. */
  wipeTemporal(): Promise<void>;
  /** Starts one more, which ends with them at the latest. Rejects when it does not become ready. */
  run(server: ServerProcess): Promise<RunningServer>;
  /** Ends everything and removes the state directory. */
  stop(): Promise<void>;
}

/** A server that runs beside those of the set. */
export interface RunningServer {
  /** Throws `ServerFailed` when it has ended by itself. */
  assertRunning(): Promise<void>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. */
  end(graceMs: number): Promise<void>;
}

/** The API server would wait much longer for watches to end, and its clients' watches never end. */
const stopGraceMs = 1_500;

/**
 * Finds a number that no other set on this machine has: of it come the pods' addresses and the servers' ports, so that two
 * runs side by side neither answer for each other's pods nor take each other's ports between the looking and the listening.
 */
async function claimSet(supervisor: ProcessSupervisor): Promise<number> {
  for (let attempt = 0; attempt < 30; attempt++) {
    const set = 1 + Math.floor(Math.random() * maxSets);
    const claimed = await supervisor.claim('127.0.0.1', claimPortOf(set)).then(
      () => true,
      () => false,
    );
    if (claimed) return set;
  }
  throw new Error(
    `no room for one more set of servers beside those that run: the ports from ${claimPortOf(1)} to ${claimPortOf(maxSets)} are taken`,
  );
}

/** The binaries and files of the wanted parts. */
interface Tools {
  kubernetes?: { binaries: Record<KubernetesServer, string>; stages: string };
  temporal?: string;
}

interface Setting {
  options: ServersOptions;
  supervisor: ProcessSupervisor;
  /** Its number among those of this machine. */
  set: number;
  ports: { kubernetes: ClusterPlan['ports']; temporal: TemporalPlan['ports'] };
  stateDir: string;
  logDir: string;
  progress: Progress;
}

async function portsOf(set: number): Promise<Setting['ports']> {
  const [etcd = 0, etcdPeer = 0, apiServer = 0, controllerManager = 0, scheduler = 0, kubelet = 0, ...temporal] =
    await freePorts(10, blockOf(set));
  const [frontend = 0, ui = 0, http = 0, metrics = 0] = temporal;
  return {
    kubernetes: { etcd, etcdPeer, apiServer, controllerManager, scheduler, kubelet },
    temporal: { frontend, ui, http, metrics },
  };
}

/** One after the other: two builds at once would only fight for the same processors. */
async function locateTools(locator: ToolLocator, parts: ServersOptions['parts']): Promise<Tools> {
  const located: Tools = {};
  if (parts !== 'temporal') {
    const found: Partial<Record<KubernetesServer, string>> = {};
    for (const name of kubernetesServers) found[name] = await locator.locate(name);
    const binaries = found as Record<KubernetesServer, string>;
    located.kubernetes = { binaries, stages: await locator.kwokStages() };
  }
  if (parts !== 'kubernetes') located.temporal = await locator.locate('temporal');
  return located;
}

async function bringUpCluster(cluster: Cluster, supervisor: ProcessSupervisor): Promise<void> {
  const { etcd, 'kube-apiserver': apiServer, ...rest } = cluster.servers;
  await Promise.all([run(etcd, supervisor), run(apiServer, supervisor)]);
  await waitUntil(apiServer.isReady, [apiServer, etcd], supervisor);
  const others = Object.values(rest);
  await Promise.all([cluster.createNodes(), ...others.map((server) => run(server, supervisor))]);
  const allReady = async () => (await Promise.all(others.map((server) => server.isReady()))).every(Boolean);
  const isUsable = async () => (await allReady()) && (await cluster.isUsable());
  await waitUntil(isUsable, [apiServer, etcd, ...others], supervisor);
}

async function startKubernetes(setting: Setting, tools: NonNullable<Tools['kubernetes']>) {
  const { options, supervisor, set, ports, stateDir, logDir, progress } = setting;
  const podCidr = options.podCidr ?? `127.20.${set}.0/24`;
  const execWorkDir = options.execWorkDir ?? join(stateDir, 'exec');
  mkdirSync(execWorkDir, { recursive: true });
  // Temporal alone does without the Kubernetes client, which takes half a second to load.
  const { planCluster } = await import('./kubernetes.ts');
  const cluster = await planCluster({
    ...tools,
    directory: join(stateDir, 'kubernetes'),
    logDir,
    ports: ports.kubernetes,
    nodes: options.nodes ?? 1,
    podCidr,
    execWorkDir,
  });
  const started = Date.now();
  await bringUpCluster(cluster, supervisor);
  progress(`Kubernetes is ready after ${((Date.now() - started) / 1000).toFixed(1)} s: ${cluster.access.apiServer}`);
  return cluster;
}

async function startTemporal({ options, supervisor, ports, stateDir, logDir, progress }: Setting, binary: string) {
  const temporal = planTemporal({ ...options, directory: stateDir, logDir, binary, ports: ports.temporal });
  const started = Date.now();
  await runUntilReady(temporal.server, supervisor);
  progress(`Temporal is ready after ${((Date.now() - started) / 1000).toFixed(1)} s: ${temporal.access.address}`);
  return temporal;
}

function asked<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new Error(`${name} was not started: see the option "parts".`);
  return part;
}

const endingSignals: NodeJS.Signals[] = ['SIGKILL', 'SIGTERM', 'SIGINT'];

function createServers(
  { supervisor, stateDir, logDir }: Setting,
  kubernetes: Cluster | undefined,
  temporal: TemporalDevServer | undefined,
): Servers {
  const processOf = (name: ServerName): ServerProcess =>
    name === 'temporal' ? asked(temporal, 'Temporal').server : asked(kubernetes, 'Kubernetes').servers[name];
  const kill = async (name: ServerName, signal: NodeJS.Signals = 'SIGKILL') => {
    await supervisor.signal(name, signal);
    if (endingSignals.includes(signal)) await supervisor.end(name, signal === 'SIGKILL' ? 0 : stopGraceMs);
  };
  const restart = async (name: ServerName, between?: () => Promise<void>) => {
    await supervisor.end(name, stopGraceMs);
    await between?.();
    await runUntilReady(processOf(name), supervisor);
  };
  return {
    get kubernetes() {
      return asked(kubernetes, 'Kubernetes').access;
    },
    get temporal() {
      return asked(temporal, 'Temporal').access;
    },
    stateDir,
    logDir,
    pids: () => supervisor.pids(),
    kill,
    pause: (name) => supervisor.signal(name, 'SIGSTOP'),
    resume: (name) => supervisor.signal(name, 'SIGCONT'),
    restart: (name) => restart(name),
    wipeTemporal: () => restart('temporal', () => asked(temporal, 'Temporal').deleteDatabase()),
    async run(server) {
      await runUntilReady(server, supervisor);
      return {
        assertRunning: () => assertRunning([server], supervisor),
        end: (graceMs) => supervisor.end(server.name, graceMs),
      };
    },
    stop: () => supervisor.close(stopGraceMs),
  };
}

/**
 * Starts real servers without containers, on free loopback ports: etcd, kube-apiserver, kube-controller-manager and
 * kube-scheduler, kwok as the nodes, and a Temporal dev server. Pods become Running at once with loopback addresses, so
 * a process that listens on 0.0.0.0 answers for each of them (on Linux; macOS needs `ifconfig lo0 alias` per address),
 * and what is executed in a pod runs on this machine. (kwok asks nobody on its loopback port for a password: do not do
 * this on a machine that is shared with people you do not trust.)
 *
 * Resolves when a pod can be scheduled and a workflow started. Throws `ToolMissing` when a binary cannot be had and
 * `ServerFailed`, with the end of its log, when a server does not come up; nothing is left running then.
 */
export async function startServers(options: ServersOptions = {}): Promise<Servers> {
  const progress = options.onProgress ?? (() => {});
  const tools = await locateTools(options.locator ?? createToolLocator({ progress }), options.parts);
  const stateDir = mkdtempSync(join(tmpdir(), 'kco-servers-'));
  const logDir = options.logDir ?? join(stateDir, 'logs');
  mkdirSync(logDir, { recursive: true });
  const supervisor = createProcessSupervisor(stateDir);
  try {
    const set = await claimSet(supervisor);
    const setting = { options, supervisor, set, ports: await portsOf(set), stateDir, logDir, progress };
    const [kubernetes, temporal] = await Promise.all([
      tools.kubernetes && startKubernetes(setting, tools.kubernetes),
      tools.temporal === undefined ? undefined : startTemporal(setting, tools.temporal),
    ]);
    return createServers(setting, kubernetes, temporal);
  } catch (error) {
    await supervisor.close(0);
    throw error;
  }
}
