import type { Socket } from 'node:net';
import { createClient, type Sink } from 'graphql-ws';
import type { buildConnector } from 'undici';
import { type ClientOptions, type CloseEvent, WebSocket } from 'ws';
import { type Failure, failureOf } from '../../../domain/failure.ts';
import { secondsOf } from '../../../domain/seconds.ts';
import { badStatus, connectionFailure } from '../../http/failure.ts';
import { sanitize } from '../../http/sanitize.ts';
import { Attempt, notSpoken, type SubscriptionListener, type SubscriptionRequest } from './attempt.ts';
import { createPace, type PaceLimits } from './pace.ts';

export interface WebSocketOptions {
  connector: buildConnector.connector;
  /** Of one message. */
  maxBytes: number;
  pace: PaceLimits;
  /** Milliseconds after which a connection that says nothing is asked whether it is still there, and for how long it may think. */
  pingEveryMs: number;
  pongWithinMs: number;
}

/** How long a server may take to say goodbye. */
const closeTimeoutMs = 1_000;

/** Connects as everything else that is not trusted: the connector guards where to. */
const connectionBy =
  (connector: buildConnector.connector, url: URL) =>
  (_: unknown, done: (error: Error | null, socket?: Socket) => void): undefined => {
    const { protocol, host, port } = url;
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    connector({ protocol, host, port, hostname }, (...[error, socket]) =>
      error === null ? done(null, socket) : done(error),
    );
  };

/** What a WebSocket is opened with; its types lack some. */
const optionsFor = (url: URL, { connector, maxBytes }: WebSocketOptions): ClientOptions =>
  ({
    createConnection: connectionBy(connector, url),
    maxPayload: maxBytes,
    perMessageDeflate: false,
    followRedirects: false,
    closeTimeout: closeTimeoutMs,
    headers: { 'user-agent': 'kco' },
  }) as object;

/** Says what goes wrong below the protocol. */
type Tell = (failure: Failure) => void;

/** The error of a connection, or of what came over it. */
function failureBelow(error: Error & { code?: unknown }, attempt: Attempt, maxBytes: number): Failure {
  const code = String(error.code ?? '');
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    return failureOf('TooLarge', `${attempt.address} sent a message of more than ${maxBytes} bytes`);
  if (code.startsWith('HPE_'))
    return failureOf('NotHTTP', `${attempt.address}: the answer is not HTTP as it should be`);
  // Errors of the handshake and of the protocol have no code of the network.
  if (code === '' || code.startsWith('WS_ERR_'))
    return notSpoken(attempt, 'does not speak graphql-transport-ws over WebSocket');
  return connectionFailure(error, attempt.address);
}

/** Close codes that say nothing against the subscription: the connection, or the server, went. */
const partings = new Set([1000, 1001, 1005, 1006, 1012, 1013, 1014, 4408, 4499, 4504]);

function failureOfClose({ code, reason }: CloseEvent, { address }: Attempt): Failure {
  const said = reason === '' ? String(code) : `${code} ${sanitize(reason, 100)}`;
  const message = `${address} closed the connection (${said})`;
  return failureOf(partings.has(code) ? 'ConnectFailed' : 'GraphQLError', message, { about: String(code) });
}

/** The WebSocket that the client library makes one of: paced, bounded, and guarded in where it goes. */
const socketFor = (request: SubscriptionRequest, options: WebSocketOptions, attempt: Attempt) =>
  class extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, optionsFor(new URL(request.url), options));
      const tell: Tell = (failure) => attempt.fail(failure);
      this.on('error', (error) => tell(failureBelow(error, attempt, options.maxBytes)));
      this.on('unexpected-response', (_, { statusCode = 0 }) => {
        tell(badStatus(request.url, statusCode));
        this.terminate();
      });
      this.#readAtPace(createPace(options.pace));
      void attempt.over.then(() => this.close(1000));
    }

    #readAtPace(pace: ReturnType<typeof createPace>): void {
      const took = (data: unknown): void => {
        const waitMs = pace((data as { length?: number }).length ?? 0);
        if (waitMs <= 0 || this.isPaused) return;
        this.pause();
        setTimeout(() => this.resume(), waitMs).unref();
      };
      for (const sign of ['message', 'ping', 'pong'] as const) this.on(sign, took);
    }
  };

type Result = { data?: unknown; errors?: unknown };

const isErrors = (reason: unknown): reason is { message?: unknown }[] => Array.isArray(reason);
const isClose = (reason: unknown): reason is CloseEvent =>
  typeof reason === 'object' && reason !== null && 'code' in reason && 'reason' in reason;

/** Takes each answer of the client library to the attempt. */
const sinkOf = (attempt: Attempt): Sink<Result> => ({
  next: (result) => attempt.heard(result),
  error: (reason) => {
    if (isErrors(reason)) attempt.refused(reason);
    else if (isClose(reason)) attempt.fail(failureOfClose(reason, attempt));
    else attempt.fail(notSpoken(attempt, 'does not keep to graphql-transport-ws'));
  },
  complete: () => attempt.completed(),
});

/** Asks for pongs in time. */
function heartbeatOf(attempt: Attempt, withinMs: number): NonNullable<Parameters<typeof createClient>[0]['on']> {
  let unanswered: NodeJS.Timeout | undefined;
  const late = `${attempt.address} did not answer a ping within ${secondsOf(withinMs)} s`;
  void attempt.over.then(() => clearTimeout(unanswered));
  return {
    ping: (isReceived) => {
      if (!isReceived) unanswered = setTimeout(() => attempt.fail(failureOf('Timeout', late)), withinMs);
    },
    pong: (isReceived) => {
      if (isReceived) clearTimeout(unanswered);
    },
  };
}

/** Follows a subscription over WebSocket (graphql-transport-ws) until it is over; resolves with why. */
export async function followOverWebSocket(
  request: SubscriptionRequest,
  listener: SubscriptionListener,
  options: WebSocketOptions,
): Promise<Failure | undefined> {
  const attempt = new Attempt(request, listener);
  const client = createClient({
    url: request.url.replace(/^http/, 'ws'),
    webSocketImpl: socketFor(request, options, attempt),
    // Whether and when there is another attempt is decided elsewhere.
    retryAttempts: 0,
    keepAlive: options.pingEveryMs,
    on: {
      ...heartbeatOf(attempt, options.pongWithinMs),
      connected: () => attempt.accepted(),
      closed: (event) => {
        attempt.fail(failureOfClose(event as CloseEvent, attempt));
        dispose();
      },
    },
  });
  // After a normal close the library would connect again at once, whatever it was told.
  const dispose = (): void => void Promise.resolve(client.dispose()).catch(() => undefined);
  const unsubscribe = client.subscribe<Result>(
    { query: request.document, variables: request.variables },
    sinkOf(attempt),
  );
  const failure = await attempt.over;
  unsubscribe();
  dispose();
  return failure;
}
