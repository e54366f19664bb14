import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { JsonObject } from '../../domain/json.ts';
import type { Connection } from './connection.ts';
import { errorFromAnswer, errorFromCause, KubeError } from './errors.ts';

/** One request to the API server. */
export interface KubeRequest {
  method: 'DELETE' | 'GET' | 'PATCH' | 'POST';
  /** Path with query. */
  path: string;
  body?: unknown;
  /** Of the body; default `application/json`. */
  contentType?: string;
  signal?: AbortSignal;
}

/** The one way to the API server: JSON in, JSON out, every failure a `KubeError`. */
export interface Requests {
  /** A 403 is believed only from a server that is ready. Reads (GET) are repeated after 429 and 5xx with `Retry-After`, and once after a lost connection; writes never. */
  send<T>(request: KubeRequest): Promise<T>;
  /** The text of an answer, for `/readyz`. */
  text(request: KubeRequest): Promise<string>;
  /** The body of a watch as it arrives. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

export interface RequestsOptions {
  connection: Connection;
  userAgent: string;
  timeoutMs: number;
  /** Whom to act as; the connection's own user when absent. */
  user?: string;
}

const readAttempts = 4;
const longestWaitMs = 30_000;

/** Milliseconds until a read may be repeated; undefined when it may not. */
const waitBeforeRepeat = (error: KubeError, attempt: number): number | undefined => {
  if (attempt >= readAttempts) return undefined;
  if (error.status === undefined) return error.reason === 'ConnectionLost' && attempt === 1 ? 0 : undefined;
  const asked = error.retryAfterMs !== undefined && (error.status === 429 || error.status >= 500);
  return asked && error.retryAfterMs <= longestWaitMs ? error.retryAfterMs : undefined;
};

const header = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

const parse = <T>(body: string): T => {
  try {
    return JSON.parse(body) as T;
  } catch (cause) {
    throw new KubeError({
      reason: 'InvalidResponse',
      message: 'the API server answered something that is not JSON',
      cause,
    });
  }
};

/** Requests over the connection's pools. */
export const createRequests = ({ connection, userAgent, timeoutMs, user }: RequestsOptions): Requests => {
  const prefix = new URL(connection.server).pathname.replace(/\/$/, '');
  const origin = new URL(connection.server).origin;

  const open = async (
    request: KubeRequest,
    use: 'calls' | 'watches',
    actAs = user,
  ): Promise<Dispatcher.ResponseData> => {
    const [dispatcher, auth] = await Promise.all([connection.dispatcher(use), connection.headers(actAs)]);
    const withBody = request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' };
    const answer = await dispatcher.request({
      origin,
      path: prefix + request.path,
      method: request.method,
      headers: { accept: 'application/json', 'user-agent': userAgent, ...auth, ...withBody },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      headersTimeout: timeoutMs,
      // A quiet watch is no fault: who reads it notices a stall.
      bodyTimeout: use === 'watches' ? 0 : timeoutMs,
      ...(request.signal && { signal: request.signal }),
    });
    if (answer.statusCode < 300) return answer;
    if (answer.statusCode === 401) connection.refresh();
    throw errorFromAnswer(answer.statusCode, await answer.body.text(), header(answer.headers, 'retry-after'));
  };

  const once = async (request: KubeRequest): Promise<string> => {
    try {
      return await (await open(request, 'calls')).body.text();
    } catch (error) {
      throw errorFromCause(error);
    }
  };

  /**
   * An API server that has just started refuses everybody, because it does not know its roles yet. So a refusal is
   * believed when the server is ready and says it again; throws what may pass when it is not ready.
   */
  const checkRefusal = async ({ signal }: KubeRequest): Promise<void> => {
    try {
      await (await open({ method: 'GET', path: '/readyz', signal }, 'calls', '')).body.dump();
    } catch (cause) {
      const message = 'the API server refused this while it was not ready to decide';
      throw new KubeError({ status: 503, reason: 'ServiceUnavailable', message, cause });
    }
  };

  /**
   * Milliseconds until a failed request may be repeated; undefined when its failure stands. A 401 and a 403 prove that
   * it was not carried out, so whatever it is, it is repeated once: the token may have been rotated, the server new.
   */
  const waitAfter = async (
    error: unknown,
    request: KubeRequest,
    attempt: number,
    refusals: Set<unknown>,
  ): Promise<number | undefined> => {
    if (!(error instanceof KubeError)) return undefined;
    if (error.status !== 401 && error.status !== 403)
      return request.method === 'GET' ? waitBeforeRepeat(error, attempt) : undefined;
    if (refusals.has(error.status)) return undefined;
    refusals.add(error.status);
    if (error.status === 403) await checkRefusal(request);
    return 0;
  };

  const text = async (request: KubeRequest): Promise<string> => {
    const refusals = new Set();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(request);
      } catch (error) {
        const waitMs = await waitAfter(error, request, attempt, refusals);
        if (waitMs === undefined) throw error;
        await sleep(waitMs, undefined, { signal: request.signal }).catch((cause: unknown) => {
          throw errorFromCause(cause);
        });
      }
    }
  };

  return {
    send: async <T>(request: KubeRequest) => parse<T>(await text(request)),
    text,
    stream: async (path, signal) => {
      try {
        return (await open({ method: 'GET', path, signal }, 'watches')).body;
      } catch (error) {
        throw errorFromCause(error);
      }
    },
  };
};

/** `dryRun` as the API spells it. */
export const dryRunQuery = (dryRun: boolean | undefined): { dryRun?: string } => (dryRun ? { dryRun: 'All' } : {});

/** The body of a delete or an eviction. */
export const deleteOptionsBody = (options: {
  uid?: string;
  gracePeriodSeconds?: number;
  propagationPolicy?: string;
  dryRun?: boolean;
}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
  ...(options.gracePeriodSeconds !== undefined && { gracePeriodSeconds: options.gracePeriodSeconds }),
  ...(options.propagationPolicy !== undefined && { propagationPolicy: options.propagationPolicy }),
  ...(options.dryRun && { dryRun: ['All'] }),
});
