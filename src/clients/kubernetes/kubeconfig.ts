import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path';
// Its index loads the models of all API groups, which take 60 MiB.
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
} from '@kubernetes/client-node/dist/config_types.js';
import { parse } from 'yaml';
import { KubeError } from './errors.ts';

/** A command that prints credentials, as the `exec` of a kubeconfig's user. */
export interface ExecPlugin {
  apiVersion?: string;
  command?: string;
  args?: string[] | null;
  env?: { name: string; value: string }[] | null;
  interactiveMode?: string;
  provideClusterInfo?: boolean;
}

/** A user of a kubeconfig as the file has it; paths are absolute. */
export interface KubeconfigUser {
  'auth-provider'?: { name?: string; config?: { tokenFile?: string } };
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  as?: string;
  'as-groups'?: string[];
  'as-uid'?: string;
  'as-user-extra'?: Record<string, string[]>;
  exec?: ExecPlugin;
  password?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
}

/** The cluster and the user of a kubeconfig's current context. */
export interface Access {
  cluster: Cluster;
  user: KubeconfigUser;
  /** What a plugin is told of the cluster beside its address (the extension `client.authentication.k8s.io/exec`). */
  pluginConfig?: unknown;
}

/** A kubeconfig that KCO cannot work with; the message says which part of it, and what to do instead. */
export class KubeconfigError extends KubeError {
  constructor(message: string, cause?: unknown) {
    super({ reason: 'InvalidKubeconfig', message, cause });
    this.name = 'KubeconfigError';
  }
}

interface RawCluster {
  extensions?: { name?: string; extension?: unknown }[];
}

interface Raw {
  'current-context'?: string;
  contexts?: unknown;
  users?: { name?: string; user?: KubeconfigUser | null }[] | null;
  clusters?: { name?: string; cluster?: RawCluster | null }[] | null;
}

interface Loaded {
  clusters: Cluster[];
  contexts: Context[];
  currentContext: string | undefined;
  /** Users as the files have them: the library leaves out some ways to sign in. */
  users: Map<string, KubeconfigUser>;
  pluginConfigs: Map<string, unknown>;
}

const execExtension = 'client.authentication.k8s.io/exec';

/** The path of a file that a kubeconfig of that folder names. */
const absoluteIn = (folder: string, path: string): string => (isAbsolute(path) ? path : join(folder, path));

/** Paths count from the kubeconfig's folder; a command without a slash is looked for in PATH. */
function withAbsolutePaths(user: KubeconfigUser, folder: string): KubeconfigUser {
  const absolute = (path: string): string => absoluteIn(folder, path);
  const { tokenFile, exec, 'client-certificate': certificate, 'client-key': key } = user;
  return {
    ...user,
    ...(tokenFile && { tokenFile: absolute(tokenFile) }),
    ...(certificate && { 'client-certificate': absolute(certificate) }),
    ...(key && { 'client-key': absolute(key) }),
    ...(exec?.command?.includes(sep) && { exec: { ...exec, command: absolute(exec.command) } }),
  };
}

/** In words that quote nothing of the file: what stands beside a mistake in it may be a secret. */
function whyUnreadable(error: unknown): string {
  const { code, linePos, message } = error as { [name: string]: unknown; linePos?: { line: number }[] };
  if (typeof code !== 'string') return String(message);
  return linePos?.[0] === undefined ? code : `${code} in line ${linePos[0].line}`;
}

function loaded(text: string, folder: string): Loaded {
  const { users, clusters, contexts, 'current-context': currentContext } = (parse(text) ?? {}) as Raw;
  // The library says what is wrong with them; what it makes of users leaves out some ways to sign in.
  newUsers(users);
  const named = (users ?? []).map(({ name = '', user }): [string, KubeconfigUser] => [
    name,
    withAbsolutePaths(user ?? {}, folder),
  ]);
  const extensions = (clusters ?? []).map(({ name = '', cluster }): [string, unknown] => [
    name,
    cluster?.extensions?.find((each) => each.name === execExtension)?.extension,
  ]);
  return {
    clusters: newClusters(clusters).map(({ caFile, ...cluster }) => ({
      ...cluster,
      ...(caFile && { caFile: absoluteIn(folder, caFile) }),
    })),
    contexts: newContexts(contexts),
    currentContext,
    users: new Map(named),
    pluginConfigs: new Map(extensions),
  };
}

function loadFile(file: string): Loaded {
  try {
    return loaded(readFileSync(file, 'utf8'), dirname(file));
  } catch (error) {
    throw new KubeconfigError(`the kubeconfig ${file} cannot be read: ${whyUnreadable(error)}`);
  }
}

/** The first file that says something wins, as with kubectl. */
function merged(first: Loaded, second: Loaded): Loaded {
  return {
    // The first of a name is found first.
    clusters: [...first.clusters, ...second.clusters],
    contexts: [...first.contexts, ...second.contexts],
    currentContext: first.currentContext || second.currentContext,
    users: new Map([...second.users, ...first.users]),
    pluginConfigs: new Map([...second.pluginConfigs, ...first.pluginConfigs]),
  };
}

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenFile = `${serviceAccount}/token`;

/** What Kubernetes gives to every pod. */
function loadFromPod(): Access {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = process.env;
  if (!existsSync(tokenFile) || host === '')
    throw new KubeconfigError('there is no kubeconfig: set KUBECONFIG, or run in a pod with a ServiceAccount');
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    cluster: { name: 'pod', server, caFile: `${serviceAccount}/ca.crt`, skipTLSVerify: false },
    user: { tokenFile },
  };
}

const defaultFile = (): string[] => [join(homedir(), '.kube', 'config')].filter((file) => existsSync(file));

/**
 * The access that a kubeconfig gives, as kubectl would find it: the files of `paths` (several are merged, and those that are
 * absent left out), else `~/.kube/config`, else the pod's ServiceAccount. Throws `KubeconfigError`.
 */
export function loadAccess(paths?: string): Access {
  const named = paths?.split(delimiter).filter((path) => path !== '') ?? defaultFile();
  const there = named.length > 1 ? named.filter((file) => existsSync(file)) : named;
  const [first, ...more] = (there.length > 0 ? there : named).map(loadFile);
  if (first === undefined) return loadFromPod();
  const { clusters, contexts, currentContext, users, pluginConfigs } = more.reduce(merged, first);
  const context = contexts.find(({ name }) => name === currentContext);
  const cluster = clusters.find(({ name }) => name === context?.cluster);
  if (context === undefined || cluster === undefined)
    throw new KubeconfigError(`there is no cluster in the kubeconfig ${paths ?? ''} for its current context`);
  // It may name none, e.g. for a kubectl proxy.
  const name: string | undefined = context.user;
  const user = name === undefined ? {} : users.get(name);
  if (user === undefined) throw new KubeconfigError(`there is no user ${name} in the kubeconfig ${paths ?? ''}`);
  return { cluster, user, pluginConfig: pluginConfigs.get(cluster.name) };
}
