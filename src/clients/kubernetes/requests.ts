import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../domain/json.ts';
import { errorFromCause, KubeError } from './errors.ts';
import type { KubeRequest, Transport } from './transport.ts';

/** The one way to the API server: JSON in, JSON out, every failure a `KubeError`. */
export interface Requests {
  /** A 403 is believed only from a server that is ready. Reads (GET) are repeated after 429 and 5xx with `Retry-After`, and once after a lost connection; writes never. */
  send<T>(request: KubeRequest): Promise<T>;
  /** The text of an answer, for `/readyz`. */
  text(request: KubeRequest): Promise<string>;
  /** The body of a watch as it arrives. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
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

/** The text of one answer. */
const once = async (transport: Transport, request: KubeRequest): Promise<string> => {
  try {
    return await (await transport(request, 'calls')).body.text();
  } catch (error) {
    throw errorFromCause(error);
  }
};

/**
 * An API server that has just started refuses everybody, because it does not know its roles yet. So a refusal is
 * believed when the server is ready and says it again; throws what may pass when it is not ready.
 */
const checkRefusal = async (transport: Transport, { signal }: KubeRequest): Promise<void> => {
  try {
    await (await transport({ method: 'GET', path: '/readyz', signal }, 'calls', '')).body.dump();
  } catch (cause) {
    const message = 'the API server refused this while it was not ready to decide';
    throw new KubeError({ status: 503, reason: 'ServiceUnavailable', message, cause });
  }
};

/**
 * Says how many milliseconds after a failure a request may be repeated; undefined when its failure stands. A 401 and a 403
 * prove that it was not carried out, so whatever it is, it is repeated once: the token may have been rotated, the server new.
 */
const createPatience = (transport: Transport, request: KubeRequest) => {
  const refusals = new Set<number>();
  return async (error: unknown, attempt: number): Promise<number | undefined> => {
    if (!(error instanceof KubeError)) return undefined;
    if (error.status !== 401 && error.status !== 403)
      return request.method === 'GET' ? waitBeforeRepeat(error, attempt) : undefined;
    if (refusals.has(error.status)) return undefined;
    refusals.add(error.status);
    if (error.status === 403) await checkRefusal(transport, request);
    return 0;
  };
};

/** Requests that are repeated where that is safe and may help. */
export const createRequests = (transport: Transport): Requests => {
  const text = async (request: KubeRequest): Promise<string> => {
    const waitAfter = createPatience(transport, request);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(transport, request);
      } catch (error) {
        const waitMs = await waitAfter(error, attempt);
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
        return (await transport({ method: 'GET', path, signal }, 'watches')).body;
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
