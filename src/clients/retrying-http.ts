import { setTimeout as delay } from 'node:timers/promises';
import { type FailureClass, failureOf } from '../domain/observation.ts';
import type { Http, HttpRequest, HttpResult } from './http.ts';
import { addressOf } from './printable.ts';
import type { Restraint } from './restraint.ts';
import { retryAfterMs } from './retry-after.ts';

/** What sending with patience needs. */
export interface RetryingOptions {
  http: Pick<Http, 'send'>;
  restraint: Restraint;
  /** Further attempts after the first. */
  retries: number;
  /** Milliseconds before the first retry, on average; doubles each time. */
  backoffMs: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** 0 ≤ x < 1. */
  random(): number;
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Waits; rejects with the signal's reason when that aborts first. */
export const sleepUnlessAborted = async (ms: number, signal: AbortSignal | undefined): Promise<void> => {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
};

const transientStatuses = new Set([429, 502, 503, 504]);

const transientClasses = new Set<FailureClass>(['ConnectFailed', 'DNSUnavailable', 'OperatorTrouble']);

/** Whether the same request may be answered in a moment. A spent deadline is not transient: it is spent. */
const isTransient = (result: HttpResult): boolean =>
  result.ok ? transientStatuses.has(result.status) : transientClasses.has(result.failure.class);

const failed = (failureClass: FailureClass, url: URL, text: string): HttpResult => ({
  ok: false,
  failure: failureOf(failureClass, `${addressOf(url)} ${text}`),
});

/**
 * Sends idempotent requests, repeatedly where that may help, within their one deadline: after network errors, 429, 502,
 * 503 and 504, with jittered backoff or as long as `Retry-After` says. Quiet that an endpoint asked for outlasts the
 * request: the next one waits for its end, or fails when it cannot.
 */
export const createRetryingHttp = (options: RetryingOptions): Pick<Http, 'send'> => {
  const { http, restraint, now } = options;

  /** One attempt, once it is this request's turn at the host. */
  const attempt = async (request: HttpRequest, url: URL, until: number): Promise<HttpResult> => {
    const waitMs = restraint.turn(url.host, until - now());
    if (waitMs === undefined) return failed('Timeout', url, 'is asked too often: held back longer than the timeout');
    if (waitMs > 0) await options.sleep(waitMs, request.signal);
    const result = await http.send({ ...request, url, deadlineMs: Math.max(1, until - now()) });
    if (result.ok || result.failure.class !== 'Timeout') return result;
    return failed('Timeout', url, `gave no complete answer within ${request.deadlineMs / 1000} s`);
  };

  const persist = async (request: HttpRequest, url: URL, until: number): Promise<HttpResult> => {
    const retries = restraint.isDown(url.href) ? 0 : options.retries;
    for (let retry = 0; ; retry++) {
      const result = await attempt(request, url, until);
      if (!isTransient(result)) return result;
      const askedMs = result.ok ? retryAfterMs(result.headers['retry-after'], now()) : undefined;
      if (askedMs !== undefined) restraint.pause(url.href, askedMs);
      const waitMs = askedMs ?? options.backoffMs * 2 ** retry * (0.5 + options.random());
      if (retry >= retries || now() + waitMs >= until) return result;
      await options.sleep(waitMs, request.signal);
    }
  };

  return {
    async send(request) {
      const url = new URL(request.url);
      const until = now() + request.deadlineMs;
      const pauseMs = restraint.pauseLeft(url.href);
      if (pauseMs >= request.deadlineMs)
        return failed('HTTPStatus', url, 'asked not to be asked for now (Retry-After)');
      if (pauseMs > 0) await options.sleep(pauseMs, request.signal);
      const result = await persist(request, url, until);
      restraint.settled(url.href, result.ok ? !isTransient(result) : result.status !== undefined);
      return result;
    },
  };
};
