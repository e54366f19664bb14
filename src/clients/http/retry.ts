import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs, spread } from '../../domain/backoff.ts';
import { type Failure, type FailureClass, failureOf } from '../../domain/failure.ts';
import { secondsOf } from '../../domain/seconds.ts';
import { considerable } from './blame.ts';
import { badStatus } from './failure.ts';
import type { Http, HttpRequest, HttpResult } from './http-client.ts';
import { retryAfterMs } from './retry-after.ts';
import { addressOf } from './sanitize.ts';
import type { PollEnd, Quiet, Throttle } from './throttle.ts';

/** What sending with patience needs. */
export interface RetryingOptions {
  http: Pick<Http, 'send'>;
  restraint: Throttle;
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

const failed = (failure: Failure): HttpResult => ({ ok: false, failure });

/** What an endpoint that asked for quiet is taken for: what it was when it asked. */
const asked = ({ status }: Quiet, url: URL, how: string): HttpResult =>
  failed(badStatus(url, status, ` and asked for quiet (Retry-After), ${how}`));

const isTimeout = (result: HttpResult): boolean => !result.ok && result.failure.class === 'Timeout';

/** Whether a result says something of the endpoint. */
const isTelling = (result: HttpResult): boolean => result.ok || result.failure.kind !== 'unknown';

/** What an earlier attempt heard says more than that the rest of the time was too short for another one. */
const moreTelling = (latest: HttpResult, earlier: HttpResult | undefined): HttpResult =>
  earlier !== undefined && isTelling(earlier) && (isTimeout(latest) || !isTelling(latest)) ? earlier : latest;

const endOf = (result: HttpResult, tookMs: number): PollEnd => {
  if (!isTelling(result)) return { end: 'unknown' };
  if (isTimeout(result) && result.status === undefined) return { end: 'late' };
  const answered = result.ok ? !isTransient(result) : result.status !== undefined;
  return answered ? { end: 'answered', tookMs } : { end: 'failed' };
};

const timeoutAt = (url: URL, deadlineMs: number): HttpResult =>
  failed(failureOf('Timeout', `${addressOf(url)} gave no complete answer within ${secondsOf(deadlineMs)} s`));

const throttled = (url: URL, how: string): HttpResult => {
  const why = 'the operator limits how often one host is asked (KCO_MAX_REQUESTS_PER_HOST)';
  return failed(failureOf('Throttled', `${addressOf(url)} was ${how}: ${why}`));
};

/** One attempt, once it is this request's turn at the host. */
const attempt = async (
  { http, restraint, now, sleep }: RetryingOptions,
  request: HttpRequest,
  url: URL,
  until: number,
): Promise<HttpResult> => {
  const waitMs = restraint.acquire(url.host, until - now());
  if (waitMs === undefined) return throttled(url, 'not asked');
  if (waitMs > 0) await sleep(waitMs, request.signal);
  const result = await http.send({ ...request, url, deadlineMs: Math.max(1, until - now()) });
  if (!isTimeout(result)) return result;
  if (waitMs >= request.deadlineMs * considerable) return throttled(url, 'held back too long');
  return { ...result, ...timeoutAt(url, request.deadlineMs) };
};

/** How long after a result that may pass the next attempt is due. */
const pauseAfter = (options: RetryingOptions, result: HttpResult, url: URL, attempts: number): number => {
  const askedMs = result.ok ? retryAfterMs(result.headers['retry-after'], options.now()) : undefined;
  if (askedMs !== undefined && result.ok) options.restraint.pause(url.href, askedMs, result.status);
  const backoff = { firstMs: options.backoffMs, longestMs: Number.POSITIVE_INFINITY };
  return askedMs ?? spread(backoffMs(backoff, attempts), options.random());
};

/**
 * Sends idempotent requests, repeatedly where that may help, within their one deadline: after network errors, 429, 502,
 * 503 and 504, with jittered backoff or as long as `Retry-After` says. Quiet that an endpoint asked for outlasts the
 * request: the next one waits for its end, or fails when it cannot. An endpoint whose time was spent on waiting, for
 * KCO's own limits or as it asked itself, is not said to be late.
 */
export const createRetryingHttp = (options: RetryingOptions): Pick<Http, 'send'> => {
  const { restraint, now } = options;

  const persist = async (request: HttpRequest, url: URL): Promise<{ result: HttpResult; tookMs: number }> => {
    const until = now() + request.deadlineMs;
    const retries = restraint.isOpen(url.href) ? 0 : options.retries;
    let earlier: HttpResult | undefined;
    for (let attempts = 1; ; attempts++) {
      const began = now();
      const latest = await attempt(options, request, url, until);
      const result = moreTelling(latest, earlier);
      const end = { result, tookMs: now() - began };
      if (!isTransient(latest)) return end;
      const waitMs = pauseAfter(options, latest, url, attempts);
      if (attempts > retries || now() + waitMs >= until) return end;
      earlier = result;
      await options.sleep(waitMs, request.signal);
    }
  };

  return {
    async send(request) {
      const url = new URL(request.url);
      const quiet = restraint.quiet(url.href);
      if (quiet !== undefined && quiet.leftMs >= request.deadlineMs)
        return asked(quiet, url, `of which ${Math.ceil(secondsOf(quiet.leftMs))} s are left`);
      if (quiet !== undefined) await options.sleep(quiet.leftMs, request.signal);
      const leftMs = request.deadlineMs - (quiet?.leftMs ?? 0);
      const deadlineMs = restraint.patienceMs(url.href, leftMs);
      const { result, tookMs } = await persist({ ...request, deadlineMs }, url);
      const isShort = quiet !== undefined && quiet.leftMs >= request.deadlineMs * considerable;
      if (isShort && isTimeout(result)) return asked(quiet, url, 'which left too little time');
      restraint.record(url.href, endOf(result, tookMs));
      return result;
    },
  };
};
