import type { ClientRequestArgs } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import { Client, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { errorFromCause, KubeError } from './kube-error.ts';

/** Where the API server is and how to prove who one is. */
export interface Connection {
  /** URL of the API server without a trailing slash; it may carry a path. */
  readonly server: string;
  /** Headers that authenticate, as of now. */
  headers(): Promise<Record<string, string>>;
  /** `calls`: pooled and limited; `watches`: pooled without limit, since each holds its connection. */
  dispatcher(use: 'calls' | 'watches'): Promise<Dispatcher>;
  /** A connection of its own, for one request that must not meet a keep-alive connection that is just being closed. */
  freshDispatcher(): Promise<Dispatcher>;
  /** Reads the credentials again before the next request, e.g. after a 401. */
  refresh(): void;
  close(): Promise<void>;
}

interface Credentials {
  headers: Record<string, string>;
  tls: ConnectionOptions;
  /** Changes when connections must be made anew. */
  identity: string;
}

// The kubelet rotates a ServiceAccount token long before it expires, and client-go looks every minute as well.
const credentialsMs = 30_000;
// More than there are slots for activities: calls that hang (Events that a webhook holds up, a namespace) keep none from others.
const maxConnections = 512;
// A 401 may be forged by a broken proxy at any rate; reading files at that rate would be a second fault.
const reloadMs = 5_000;

/** The kubeconfig as kubectl would find it. Reads files, and the environment through the library. */
export const loadKubeConfig = (path?: string): KubeConfig => {
  const config = new KubeConfig();
  if (path === undefined) config.loadFromDefault();
  else config.loadFromFile(path);
  if (!config.getCurrentCluster()) {
    throw new KubeError({
      reason: 'ConnectFailed',
      message: `no cluster in the kubeconfig ${path ?? ''} for its current context`,
    });
  }
  return config;
};

const text = (value: unknown): string => (Array.isArray(value) ? value.join('') : String(value)).trim();

const headersOf = (options: RequestOptions): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((options as ClientRequestArgs).headers ?? {}))
    headers[name.toLowerCase()] = text(value);
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
};

/** An explicit `ca` is all that is trusted: Node adds NODE_EXTRA_CA_CERTS to its own defaults only, never to this. */
const tlsOf = (options: RequestOptions): ConnectionOptions => ({
  ...(options.ca && { ca: options.ca }),
  ...(options.cert && { cert: options.cert }),
  ...(options.key && { key: options.key }),
  ...(options.servername && { servername: options.servername }),
  ...(options.rejectUnauthorized === false && { rejectUnauthorized: false }),
});

const readCredentials = async (config: KubeConfig): Promise<Credentials> => {
  const options: RequestOptions = {};
  try {
    // The agent that the library makes is never used, so it holds no connection.
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const message = `the credentials of the kubeconfig cannot be read: ${errorFromCause(cause).message}`;
    throw new KubeError({ reason: 'ConnectFailed', message, cause });
  }
  const tls = tlsOf(options);
  return { headers: headersOf(options), tls, identity: JSON.stringify(Object.values(tls).map(String)) };
};

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

interface Open {
  identity: string;
  calls: Dispatcher;
  watches: Dispatcher;
}

/** Credentials as of now: remembered for a while, and read from scratch after `refresh`. */
const createCredentials = (load: () => KubeConfig, first: KubeConfig) => {
  let config = first;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let known: Promise<Credentials> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return {
    read: (): Promise<Credentials> => {
      const now = performance.now();
      if (known && now - readAt < credentialsMs) return known;
      readAt = now;
      known = readCredentials(config);
      known.catch(() => {
        known = undefined;
      });
      return known;
    },
    /** The library remembers tokens by itself; only a config that is loaded anew is sure to forget them. */
    refresh: (): void => {
      if (performance.now() - loadedAt < reloadMs) return;
      loadedAt = performance.now();
      known = undefined;
      try {
        config = load();
      } catch {
        // A file that is just being replaced; the 401 is reported by who met it, and the next one tries again.
      }
    },
  };
};

/** The connections of one kubeconfig, made anew when its certificates change. */
export const createConnection = (load: () => KubeConfig): Connection => {
  const config = load();
  const cluster = config.getCurrentCluster();
  const server = (cluster?.server ?? '').replace(/\/+$/, '');
  const { origin } = new URL(server);
  const proxy = cluster?.proxyUrl;
  const credentials = createCredentials(load, config);
  let open: Open | undefined;

  const current = async (): Promise<Open> => {
    const { tls, identity } = await credentials.read();
    if (open?.identity !== identity) {
      const old = open;
      open = {
        identity,
        calls: openDispatcher(origin, tls, proxy, maxConnections),
        watches: openDispatcher(origin, tls, proxy),
      };
      // Lets what is under way end by itself.
      void old?.calls.close();
      void old?.watches.close();
    }
    return open;
  };
  return {
    server,
    headers: async () => (await credentials.read()).headers,
    dispatcher: async (use) => (await current())[use],
    freshDispatcher: async () => {
      const { tls } = await credentials.read();
      return proxy
        ? openDispatcher(origin, tls, proxy, 1)
        : new Client(origin, { connect: connectOptions(tls), allowH2: false });
    },
    refresh: credentials.refresh,
    close: async () => {
      await Promise.all([open?.calls.destroy(), open?.watches.destroy()]);
      open = undefined;
    },
  };
};
