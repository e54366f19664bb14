import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { type Failure, failureOf } from '../../domain/failure.ts';
import { secondsOf } from '../../domain/seconds.ts';
import { blamed } from './blame.ts';
import type { Connecting } from './connections.ts';
import { connectionFailure } from './failure.ts';
import { addressOf } from './sanitize.ts';

/** One request to a remote system. */
export interface HttpRequest {
  /** Absolute, http or https, without userinfo. */
  url: string | URL;
  method: Dispatcher.HttpMethod;
  /** Lower-case names. `host` sets the virtual host, and the server name of TLS with it. */
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds from now to the last byte. */
  deadlineMs: number;
  /** When it aborts, `send` rejects with its reason: a cancellation is not a remote fault. */
  signal?: AbortSignal;
  /**
   * `keep` (default): the body is part of the answer and must arrive whole. `discard`: the status is the answer; a body
   * that is too large, encoded, cut off or late does not spoil it.
   */
  responseBody?: 'keep' | 'discard';
}

/** What came back, or why nothing usable did. `status` beside a failure is what the server said before it failed. */
export type HttpResult =
  | { ok: true; status: number; headers: IncomingHttpHeaders; body: Buffer }
  | { ok: false; failure: Failure; status?: number };

/** What one request and its answer need. */
export interface ExchangeOptions {
  agent: Dispatcher;
  request: HttpRequest;
  url: URL;
  maxBytes: number;
  /** Milliseconds of its time that the request has waited already, for others of KCO. */
  heldMs: number;
  /** How many milliseconds of its time the process has stood still. */
  stalledMs(): number;
  /** What is being done at the moment to get a connection to there. */
  doing(): Connecting;
}

type Settle = { resolve(result: HttpResult): void; reject(reason: unknown): void };

/** How much longer than its deadline a request may take when the process stood still. */
const longestGraceMs = 1_000;
const redirects = new Set([301, 302, 303, 307, 308]);
const noBody = Buffer.alloc(0);

/**
 * Follows one request to its end. It sits directly on the dispatcher, below undici's `request`, because a stream per
 * answer costs more than all the rest of an exchange of a few hundred bytes.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #settle: Settle;
  readonly #since = performance.now();
  #timer: NodeJS.Timeout;
  #hasGrace = true;
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;
  #headers: IncomingHttpHeaders = {};
  #chunks: Buffer[] = [];
  #bytes = 0;
  #settled = false;

  constructor(options: ExchangeOptions, settle: Settle) {
    this.#options = options;
    this.#settle = settle;
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, options.request.deadlineMs - options.heldMs));
    options.request.signal?.addEventListener('abort', this.#cancel);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection longer than anybody wants its answer.
    if (this.#settled) controller.abort(new Error('abandoned'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    const failure = this.#headFailure(status, headers);
    if (failure !== undefined) this.#fail(failure);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.maxBytes) this.#fail(this.#tooLarge());
    else if (this.#options.request.responseBody !== 'discard') this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    const [first = noBody, second] = this.#chunks;
    this.#succeed(second === undefined ? first : Buffer.concat(this.#chunks, this.#bytes));
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (!this.#settled) this.#fail(this.#blamed(connectionFailure(error, addressOf(this.#options.url))));
  }

  #headFailure(status: number, headers: IncomingHttpHeaders): Failure | undefined {
    const { url } = this.#options;
    if (redirects.has(status)) {
      const message = `${addressOf(url)} answered ${status}: redirects are not followed`;
      return failureOf('RedirectRefused', message, { about: String(status) });
    }
    if (this.#options.request.responseBody === 'discard') return undefined;
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      return failureOf('NotJSON', `${addressOf(url)} answered with a compressed body although none was asked for`);
    }
    return Number(headers['content-length'] ?? 0) > this.#options.maxBytes ? this.#tooLarge() : undefined;
  }

  #tooLarge(): Failure {
    const { url, maxBytes } = this.#options;
    return failureOf('TooLarge', `${addressOf(url)} answered with more than ${maxBytes} bytes`);
  }

  #expire(): void {
    const { request } = this.#options;
    const stalledMs = this.#options.stalledMs();
    if (stalledMs > 0 && this.#hasGrace) {
      // The answer may be there, and nobody has looked yet.
      this.#hasGrace = false;
      this.#timer = setTimeout(() => this.#expire(), Math.min(stalledMs, longestGraceMs));
      return;
    }
    const within = `within ${secondsOf(Math.round(request.deadlineMs))} s`;
    this.#fail(this.#controller === undefined ? this.#unsent(within) : this.#late(`gave no complete answer ${within}`));
  }

  /** The failure of a request that never left, for want of a connection. */
  #unsent(within: string): Failure {
    const address = addressOf(this.#options.url);
    const doing = this.#options.doing();
    if (doing === 'resolving')
      return failureOf('DNSUnavailable', `${address}: the name could not be resolved ${within}`);
    const failure = this.#late(`took no connection ${within}`);
    if (doing === 'connecting' || failure.kind === 'unknown') return failure;
    return failureOf('Throttled', `${address} was not asked: no connection to it got free`);
  }

  #late(how: string): Failure {
    const { url } = this.#options;
    return this.#blamed(failureOf('Timeout', `${addressOf(url)} ${how}`));
  }

  #blamed(failure: Failure): Failure {
    const { heldMs, request, stalledMs, url } = this.#options;
    const elapsedMs = performance.now() - this.#since;
    return blamed(failure, url, { deadlineMs: request.deadlineMs, elapsedMs, heldMs, stalledMs: stalledMs() });
  }

  readonly #cancel = (): void => {
    const reason: unknown = this.#options.request.signal?.reason;
    if (this.#finish()) this.#settle.reject(reason);
    this.#controller?.abort(new Error('cancelled'));
  };

  #succeed(body: Buffer): void {
    const status = this.#status ?? 0;
    if (this.#finish()) this.#settle.resolve({ ok: true, status, headers: this.#headers, body });
  }

  #fail(failure: Failure): void {
    const answered = this.#status !== undefined && failure.class !== 'RedirectRefused';
    if (answered && this.#options.request.responseBody === 'discard') this.#succeed(noBody);
    else if (this.#finish()) this.#settle.resolve({ ok: false, failure, status: this.#status });
    this.#controller?.abort(new Error(failure.class));
  }

  /** True the first time only. */
  #finish(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#chunks = [];
    clearTimeout(this.#timer);
    this.#options.request.signal?.removeEventListener('abort', this.#cancel);
    return true;
  }
}

/** Sends one request and follows it to its end. Rejects only with the reason of the request's own signal. */
export const exchange = (options: ExchangeOptions): Promise<HttpResult> =>
  new Promise((resolve, reject) => {
    const { agent, request, url } = options;
    const handler = new Exchange(options, { resolve, reject });
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'kco', ...request.headers },
        body: request.body,
      },
      handler,
    );
  });
