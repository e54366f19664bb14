import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Json } from '../domain/json.ts';
import type { CheckResult, Checks } from './checks.ts';

/** What the two servers serve. */
export interface ProbeServerOptions {
  /** From the configuration; port 0 takes any free one. */
  config: { bindAddress: string; healthPort: number; metricsPort: number };
  /** All metrics in Prometheus' text format 0.0.4. */
  metricsText(): Promise<string>;
  /** Failing means that only a restart helps. */
  health: Checks;
  /** Failing means that work is not being done at the moment; degraded, that some of it is not. */
  readiness: Checks;
  /** Numbers for people: what the process is busy with. */
  stats(): Json;
}

/** The running servers. */
export interface ProbeServer {
  /** The ports that were taken. */
  healthPort: number;
  metricsPort: number;
  /** Stops both; answers that are under way have a moment to end. */
  close(): Promise<void>;
}

/** A port could not be listened on. */
export class ListenError extends Error {
  constructor(variable: string, bindAddress: string, port: number, cause: NodeJS.ErrnoException) {
    super(
      `cannot listen on ${bindAddress}:${port} (${cause.code}): change ${variable}, or KCO_BIND_ADDRESS, or end what uses it`,
      {
        cause,
      },
    );
    this.name = 'SurfaceError';
  }
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

/** Path → what it answers. */
type Routes = Record<string, () => Answer | Promise<Answer>>;

/** A client that is slow to ask holds nothing of ours for long; nobody sends us a body. */
const serverOptions = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 8_192,
};
/** Above what probes and scrapers need by far, so that idle strangers do not keep the kubelet out. */
const mostConnections = 1_000;
const closeGraceMs = 1_000;

const json = (status: number, body: object | Json): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(body)}\n`,
});

const looked = (check: () => CheckResult): CheckResult => {
  try {
    return check();
  } catch (error) {
    return { ok: false, message: `the check itself failed: ${error instanceof Error ? error.name : 'unknown error'}` };
  }
};

const checked = (checks: Checks): Answer => {
  const results = Object.entries(checks).map(([name, check]) => [name, looked(check)] as const);
  const failing = results.filter(([, { ok }]) => !ok).map(([name]) => name);
  const degraded = results.filter(([, { ok, degraded }]) => ok && degraded).map(([name]) => name);
  const status = failing.length > 0 ? 'failing' : degraded.length > 0 ? 'degraded' : 'ok';
  return json(failing.length === 0 ? 200 : 503, { status, failing, degraded, checks: Object.fromEntries(results) });
};

const answerTo = async (request: IncomingMessage, routes: Routes): Promise<Answer> => {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return json(405, { error: 'only GET and HEAD are answered' });
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (!Object.hasOwn(routes, path))
    return json(404, { error: 'there is nothing here', endpoints: Object.keys(routes).sort() });
  try {
    return (await routes[path]?.()) ?? json(404, { error: 'there is nothing here' });
  } catch (error) {
    return json(500, {
      error: `this answer could not be made: ${error instanceof Error ? error.name : 'unknown error'}`,
    });
  }
};

const send = (request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void => {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
};

const listen = (routes: Routes, bindAddress: string, port: number, variable: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(serverOptions, (request, response) => {
      request.resume();
      void answerTo(request, routes).then((answer) => send(request, response, answer));
    });
    server.maxConnections = mostConnections;
    server.once('error', (error) => reject(new ListenError(variable, bindAddress, port, error)));
    server.listen(port, bindAddress, () => resolve(server));
  });

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });

/** Serves health, readiness and statistics on one port and metrics on the other. Throws `SurfaceError` when a port is taken. */
export const startProbeServer = async ({
  config,
  metricsText,
  health,
  readiness,
  stats,
}: ProbeServerOptions): Promise<ProbeServer> => {
  const healthRoutes: Routes = {
    '/healthz': () => checked(health),
    '/readyz': () => checked(readiness),
    '/stats': () => json(200, stats()),
  };
  const metricsRoutes: Routes = {
    '/metrics': async () => ({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
      body: await metricsText(),
    }),
  };
  const healthServer = await listen(healthRoutes, config.bindAddress, config.healthPort, 'KCO_HEALTH_PORT');
  try {
    const metricsServer = await listen(metricsRoutes, config.bindAddress, config.metricsPort, 'KCO_METRICS_PORT');
    return {
      healthPort: portOf(healthServer),
      metricsPort: portOf(metricsServer),
      close: async () => void (await Promise.all([closed(healthServer), closed(metricsServer)])),
    };
  } catch (error) {
    await closed(healthServer);
    throw error;
  }
};
