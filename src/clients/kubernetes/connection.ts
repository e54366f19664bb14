import type { ConnectionOptions } from 'node:tls';
import { Client, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { type Credentials, createCredentials } from './credentials.ts';
import { type Access, KubeconfigError } from './kubeconfig.ts';
import { accessProblem } from './kubeconfig-problems.ts';

/** Where the API server is and how to prove who one is. */
export interface Connection {
  /** URL of the API server without a trailing slash; it may carry a path. */
  readonly server: string;
  /**
   * Headers that authenticate, as of now, and by which the API server treats a request as this user's; without one as that of
   * whom the kubeconfig says. Without groups it adds a ServiceAccount's own.
   */
  headers(user?: string): Promise<Record<string, string | string[]>>;
  /** `calls`: pooled and limited; `watches`: pooled without limit, since each holds its connection. */
  dispatcher(use: 'calls' | 'watches'): Promise<Dispatcher>;
  /** A connection of its own, for one request that must not meet a keep-alive connection that is just being closed. */
  freshDispatcher(): Promise<Dispatcher>;
  /** Reads the credentials again before the next request, e.g. after a 401. */
  refresh(): void;
  close(): Promise<void>;
}

// The kubelet rotates a ServiceAccount token long before it expires, and client-go looks every minute as well.
const credentialsMs = 30_000;
// More than there are slots for activities: calls that hang (Events that a webhook holds up, a namespace) keep none from others.
const maxConnections = 512;
// A 401 may be forged by a broken proxy at any rate; reading files at that rate would be a second fault.
const reloadMs = 5_000;

/** HTTP/1.1 on purpose: one lost HTTP/2 connection would take every watch and call with it. */
const connectOptions = (tls: ConnectionOptions) => ({
  ...tls,
  allowH2: false,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
});

const openDispatcher = (
  origin: string,
  tls: ConnectionOptions,
  proxy: string | undefined,
  connections?: number,
): Dispatcher => {
  if (proxy)
    return new ProxyAgent({ uri: proxy, requestTls: connectOptions(tls), ...(connections && { connections }) });
  return new Pool(origin, {
    connect: connectOptions(tls),
    allowH2: false,
    keepAliveTimeout: 30_000,
    connections: connections ?? null,
  });
};

/** Credentials as of now: remembered for a while, and read from scratch after `refresh`. */
const rememberCredentials = (load: () => Access, first: Access) => {
  let read = createCredentials(first);
  let loadedAt = Number.NEGATIVE_INFINITY;
  let known: Promise<Credentials> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let expiresAt = Number.POSITIVE_INFINITY;

  const readNow = async (): Promise<Credentials> => {
    readAt = performance.now();
    const credentials = await read();
    expiresAt = credentials.expiresAt ?? Number.POSITIVE_INFINITY;
    return credentials;
  };
  return {
    read: (): Promise<Credentials> => {
      if (known && performance.now() - readAt < credentialsMs && Date.now() < expiresAt) return known;
      known = readNow();
      known.catch(() => {
        known = undefined;
      });
      return known;
    },
    /** What is known of tokens and plugins goes with the kubeconfig that it came from. */
    refresh: (): void => {
      if (performance.now() - loadedAt < reloadMs) return;
      loadedAt = performance.now();
      known = undefined;
      try {
        read = createCredentials(load());
      } catch {
        // A file that is just being replaced; the 401 is reported by who met it, and the next one tries again.
      }
    },
  };
};

/** The access, or why nobody can sign in with it. */
const checked = (access: Access): Access => {
  const problem = accessProblem(access);
  if (problem !== undefined) throw new KubeconfigError(`KCO cannot use the kubeconfig: ${problem}`);
  return access;
};

interface Pools {
  /** Of the credentials that they were opened with. */
  identity: string;
  calls: Dispatcher;
  watches: Dispatcher;
}

/** Pools that are opened anew when the credentials are others. */
const createPools = (origin: string, proxy: string | undefined) => {
  let open: Pools | undefined;
  return {
    of: ({ tls, identity }: Credentials): Pools => {
      if (open?.identity === identity) return open;
      const old = open;
      const calls = openDispatcher(origin, tls, proxy, maxConnections);
      open = { identity, calls, watches: openDispatcher(origin, tls, proxy) };
      // Lets what is under way end by itself.
      void old?.calls.close();
      void old?.watches.close();
      return open;
    },
    close: async (): Promise<void> => {
      await Promise.all([open?.calls.destroy(), open?.watches.destroy()]);
      open = undefined;
    },
  };
};

/** The connections of one kubeconfig, made anew when its certificates change. Throws `KubeconfigError`. */
export const createConnection = (load: () => Access): Connection => {
  const access = checked(load());
  const { cluster } = access;
  const server = cluster.server.replace(/\/+$/, '');
  if (!URL.canParse(server)) throw new KubeconfigError(`the server of the kubeconfig's cluster is no URL: ${server}`);
  const { origin } = new URL(server);
  const proxy = cluster.proxyUrl;
  const credentials = rememberCredentials(() => checked(load()), access);
  const pools = createPools(origin, proxy);

  return {
    server,
    headers: async (user) => {
      const { headers, impersonation } = await credentials.read();
      // Only one can be acted as.
      return { ...headers, ...(user ? { 'impersonate-user': user } : impersonation) };
    },
    dispatcher: async (use) => pools.of(await credentials.read())[use],
    freshDispatcher: async () => {
      const { tls } = await credentials.read();
      return proxy
        ? openDispatcher(origin, tls, proxy, 1)
        : new Client(origin, { connect: connectOptions(tls), allowH2: false });
    },
    refresh: credentials.refresh,
    close: pools.close,
  };
};
