import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { json } from './answers.ts';
import { bodyCap } from './body-cap.ts';
import { type CertificateFiles, readCertificate, renewCertificate } from './certificate.ts';

/** What a server serves, and where. */
export interface HttpServerOptions {
  /** Its own `notFound` and `onError` are not used: every answer that is not a route's is made here, alike everywhere. */
  routes: Hono;
  bindAddress: string;
  /** 0 takes any free one. */
  port: number;
  /** The variable that sets the port, for whoever finds it taken. */
  variable: string;
  /** Longer bodies are refused with 413. */
  maxBodyBytes?: number;
  /** Absent: plain text. */
  tls?: CertificateFiles;
}

/** A running server. */
export interface HttpServer {
  /** The port that was taken. */
  readonly port: number;
  /** Stops it; answers that are under way have a moment to end. */
  close(): Promise<void>;
}

/** A port could not be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  constructor(variable: string, bindAddress: string, port: number, cause: NodeJS.ErrnoException) {
    super(
      `cannot listen on ${bindAddress}:${port} (${cause.code}): change ${variable}, or KCO_BIND_ADDRESS, or end what uses it`,
      { cause },
    );
  }
}

/** A client that is slow to ask holds nothing of ours for long. */
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 8_192,
};
const handshakeTimeout = 5_000;
const defaultMaxBodyBytes = 64 * 1024;
/** Above what probes and scrapers need by far, so that idle strangers do not keep the kubelet out. */
const mostConnections = 1_000;
const closeGraceMs = 1_000;

const afterAll: MiddlewareHandler = async (context, next) => {
  await next();
  context.header('cache-control', 'no-store');
  context.header('x-content-type-options', 'nosniff');
};

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** What is answered where no route fits: 405 where another method would, or no route has this one; else 404. */
function unrouted(routes: Hono, method: string, path: string): Response {
  const all = routes.routes.filter((route) => route.method !== 'ALL');
  const known = [...new Set(all.map((route) => route.method))];
  const isRouted = (each: string): boolean =>
    routes.router.match(each, path)[0].some(([[, route]]) => route.method === each);
  const here = known.filter(isRouted);
  const answered = here.length > 0 ? here : known;
  const allowed = answered.flatMap((each) => (each === 'GET' ? ['GET', 'HEAD'] : [each])).sort();
  if (here.length === 0 && allowed.includes(method)) {
    const endpoints = [...new Set(all.map((route) => route.path))].sort();
    return json(404, { error: 'there is nothing here', endpoints });
  }
  const refusal = json(405, { error: `only ${listed(allowed)} are answered` });
  refusal.headers.set('allow', allowed.join(', '));
  return refusal;
}

/** An error is said by its name only: what it says may be private. */
const failed = (error: unknown): Response =>
  json(500, { error: `this answer could not be made: ${error instanceof Error ? error.name : 'unknown error'}` });

function listenerOf({ routes, maxBodyBytes = defaultMaxBodyBytes }: HttpServerOptions): RequestListener {
  const app = new Hono();
  app.use(afterAll, bodyCap(maxBodyBytes));
  app.route('/', routes);
  app.notFound(({ req }) => unrouted(routes, req.method, req.path));
  app.onError(failed);
  return getRequestListener(app.fetch, {
    // Of a client of HTTP/1.0, which says none.
    hostname: 'localhost',
    // Node's own stay what they are for everybody else in this process.
    overrideGlobalObjects: false,
    errorHandler: () => json(400, { error: 'this is not a request that can be understood' }),
  });
}

const listening = (server: Server, { variable, bindAddress, port }: HttpServerOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new ListenError(variable, bindAddress, port, error)));
    server.listen(port, bindAddress, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });

/** A server that does not listen yet, and what looks after its certificate. */
async function serverOf(options: HttpServerOptions): Promise<{ server: Server; renewing?: { stop(): void } }> {
  const listener = listenerOf(options);
  if (options.tls === undefined) return { server: createServer(limits, listener) };
  const certificate = await readCertificate(options.tls);
  const server = createTlsServer({ ...limits, handshakeTimeout, ...certificate }, listener);
  return { server, renewing: renewCertificate(server, options.tls, certificate) };
}

/**
 * Serves these routes. Rejects with {@link ListenError} when the port is taken, and with what is wrong with the certificate
 * when there is none to begin with.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { server, renewing } = await serverOf(options);
  server.maxConnections = mostConnections;
  try {
    const port = await listening(server, options);
    return {
      port,
      close: () => {
        renewing?.stop();
        return closed(server);
      },
    };
  } catch (error) {
    renewing?.stop();
    throw error;
  }
}
