import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, sep } from 'node:path';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
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
  users?: { name?: string; user?: KubeconfigUser | null }[] | null;
  clusters?: { name?: string; cluster?: RawCluster | null }[] | null;
}

interface Loaded {
  /** The library's part: what is valid, contexts, clusters, merging. */
  config: KubeConfig;
  /** Users as the files have them: the library leaves out some ways to sign in. */
  users: Map<string, KubeconfigUser>;
  pluginConfigs: Map<string, unknown>;
}

const execExtension = 'client.authentication.k8s.io/exec';

/** Paths count from the kubeconfig's folder; a command without a slash is looked for in PATH. */
function withAbsolutePaths(user: KubeconfigUser, folder: string): KubeconfigUser {
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(folder, path));
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
  const { code, mark, reason, message } = error as { [name: string]: unknown; mark?: { line?: number } };
  if (typeof code === 'string') return code;
  return mark === undefined ? String(message) : `${reason} in line ${(mark.line ?? 0) + 1}`;
}

function loadFile(file: string): Loaded {
  try {
    const config = new KubeConfig();
    const text = readFileSync(file, 'utf8');
    if (text.trim() !== '') config.loadFromFile(file);
    const { users, clusters } = (parse(text) ?? {}) as Raw;
    const named = (users ?? []).map(({ name = '', user }): [string, KubeconfigUser] => [
      name,
      withAbsolutePaths(user ?? {}, dirname(file)),
    ]);
    const extensions = (clusters ?? []).map(({ name = '', cluster }): [string, unknown] => [
      name,
      cluster?.extensions?.find((each) => each.name === execExtension)?.extension,
    ]);
    return { config, users: new Map(named), pluginConfigs: new Map(extensions) };
  } catch (error) {
    throw new KubeconfigError(`the kubeconfig ${file} cannot be read: ${whyUnreadable(error)}`);
  }
}

/** The first file that says something wins, as with kubectl. */
function merged(first: Loaded, second: Loaded): Loaded {
  const { config } = first;
  const has = (known: { name: string }[], { name }: { name: string }): boolean =>
    known.some((each) => each.name === name);
  for (const cluster of second.config.clusters) if (!has(config.clusters, cluster)) config.addCluster(cluster);
  for (const user of second.config.users) if (!has(config.users, user)) config.addUser(user);
  for (const context of second.config.contexts) if (!has(config.contexts, context)) config.addContext(context);
  if (!config.currentContext) config.setCurrentContext(second.config.currentContext);
  return {
    config,
    users: new Map([...second.users, ...first.users]),
    pluginConfigs: new Map([...second.pluginConfigs, ...first.pluginConfigs]),
  };
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function loadFromPod(): Loaded {
  if (!existsSync(serviceAccountToken))
    throw new KubeconfigError('there is no kubeconfig: set KUBECONFIG, or run in a pod with a ServiceAccount');
  const config = new KubeConfig();
  config.loadFromCluster();
  const user = config.getCurrentUser()?.name ?? '';
  return { config, users: new Map([[user, { tokenFile: serviceAccountToken }]]), pluginConfigs: new Map() };
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
  const { config, users, pluginConfigs } = first === undefined ? loadFromPod() : more.reduce(merged, first);
  const cluster = config.getCurrentCluster();
  if (!cluster)
    throw new KubeconfigError(`there is no cluster in the kubeconfig ${paths ?? ''} for its current context`);
  const name = config.getContextObject(config.getCurrentContext())?.user;
  const user = name === undefined ? {} : users.get(name);
  if (user === undefined) throw new KubeconfigError(`there is no user ${name} in the kubeconfig ${paths ?? ''}`);
  return { cluster, user, pluginConfig: pluginConfigs.get(cluster.name) };
}
