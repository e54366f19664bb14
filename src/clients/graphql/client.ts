import { hash } from 'node:crypto';
import { GraphQLClient } from 'graphql-request';
import { type Failure, failureOf } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Rate } from '../../domain/token-bucket.ts';
import { badStatus } from '../http/failure.ts';
import type { Http, HttpRequest, HttpResult } from '../http/http-client.ts';
import { createRetryingHttp, sleepUnlessAborted } from '../http/retry.ts';
import { defaultJsonLimits, type JsonLimits } from '../http/safe-json.ts';
import { createThrottle } from '../http/throttle.ts';
import { aboutError, answerIn, firstError, type GraphqlAnswer, type GraphqlResult, interpret } from './response.ts';

export type { GraphqlResult } from './response.ts';

/** Answers that need not be read again, by a digest of their bytes. */
export interface KnownBytes {
  /** Told of each answer with a good status. */
  isKnown(digest: string): boolean;
}

/** One query of one endpoint. */
export interface GraphqlRequest {
  /** Absolute http(s) URL of the endpoint. */
  url: string;
  /** The text of exactly one query operation; sent as it stands, not parsed. */
  document: string;
  variables?: JsonObject;
  /** Milliseconds for everything: connections, retries and their waits, to the last byte. */
  deadlineMs: number;
  /** When it aborts, `query` rejects with its reason. */
  signal?: AbortSignal;
  /** Virtual host, where it is not that of the URL. */
  hostHeader?: string;
  /** Further headers, lower-case names. */
  headers?: Record<string, string>;
  /** An answer with these bytes is not read: it is `same`. */
  known?: KnownBytes;
}

/** Asks GraphQL endpoints. */
export interface Graphql {
  /** Never rejects for a remote fault; rejects only with the reason of the request's own signal. */
  query(request: GraphqlRequest): Promise<GraphqlResult>;
}

/** What `createGraphql` may be told. */
export interface GraphqlOptions {
  http: Pick<Http, 'send'>;
  /** Further attempts after the first within one query (`KCO_GRAPHQL_MAX_RETRIES`). Default 3. */
  retries?: number;
  /** Structure that an answer may have. */
  limits?: JsonLimits;
  /** Requests per host. Default 500 a second, 1,000 at once. */
  rate?: Rate;
  /** Mean wait before the first retry, in milliseconds; doubles each time. Default 200. */
  backoffMs?: number;
  /** Milliseconds since the epoch, never going back. */
  now?(): number;
  /** 0 ≤ x < 1. */
  random?(): number;
  sleep?(ms: number, signal: AbortSignal | undefined): Promise<void>;
}

/** Carries a failure through graphql-request, which passes on what its `fetch` throws. */
class Unanswered extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'Unanswered';
    this.failure = failure;
  }
}

const requestHeaders = {
  accept: 'application/graphql-response+json, application/json',
  'content-type': 'application/json',
};

const isFailure = (answer: GraphqlAnswer | Failure): answer is Failure => 'class' in answer;

/** Servers that reject a query say why in the body (GraphQL over HTTP), which is what a person needs. */
const refusal = (result: Extract<HttpResult, { ok: true }>, url: URL, limits: JsonLimits): Failure => {
  const answer = answerIn(result.body, result.headers['content-type'], url, limits);
  if (isFailure(answer) || answer.errors.length === 0) return badStatus(url, result.status);
  return badStatus(url, result.status, `: ${firstError(answer)}`, `/${aboutError(answer)}`);
};

/** The answer of a result, or `Unanswered`. */
const answerOf = (result: HttpResult, url: URL, limits: JsonLimits): GraphqlAnswer => {
  if (!result.ok) throw new Unanswered(result.failure);
  if (result.status < 200 || result.status > 299) throw new Unanswered(refusal(result, url, limits));
  const answer = answerIn(result.body, result.headers['content-type'], url, limits);
  if (isFailure(answer)) throw new Unanswered(answer);
  return answer;
};

const isGood = (result: HttpResult): result is Extract<HttpResult, { ok: true }> =>
  result.ok && result.status >= 200 && result.status <= 299;

/** What is sent, as graphql-request would write it: one operation, so its name is worth nothing to the server. */
function sentFor({ url, document, variables, deadlineMs, hostHeader, headers, signal }: GraphqlRequest): HttpRequest {
  const own = hostHeader === undefined ? headers : { ...headers, host: hostHeader };
  const body = JSON.stringify({ query: document, variables });
  return { url, method: 'POST', headers: { ...requestHeaders, ...own }, body, deadlineMs, signal };
}

/** `answerOf` has parsed already. */
const jsonSerializer = { stringify: () => '', parse: (answer: unknown) => answer };

/**
 * Reads an answer by graphql-request, over the part of the Fetch API that it uses: a real `Response` would cost more than the
 * exchange. The answer is parsed once; what stands for its text is the parsed answer itself.
 */
async function read(result: HttpResult, request: GraphqlRequest, limits: JsonLimits): Promise<GraphqlResult> {
  const answer = answerOf(result, new URL(request.url), limits);
  const response = { ok: true, status: 200, headers: { get: () => 'application/json' }, text: async () => answer };
  const client = new GraphQLClient(request.url, {
    fetch: (async () => response) as unknown as typeof fetch,
    jsonSerializer,
    errorPolicy: 'all',
    excludeOperationName: true,
  });
  const { data, errors } = await client.rawRequest<JsonObject>(request.document);
  const errored = (errors ?? []) as unknown as JsonObject[];
  return interpret({ data: data ?? null, errors: errored, unsafe: answer.unsafe }, request.url);
}

const digestOf = (body: Buffer): string => hash('sha256', body, 'base64url');

async function ask(http: Pick<Http, 'send'>, request: GraphqlRequest, limits: JsonLimits): Promise<GraphqlResult> {
  const result = await http.send(sentFor(request));
  if (request.known !== undefined && isGood(result) && request.known.isKnown(digestOf(result.body)))
    return { ok: true, same: true };
  return read(result, request, limits);
}

/** One per worker: what it remembers of hosts protects them only when all polls share it. */
export const createGraphql = (options: GraphqlOptions): Graphql => {
  const { http, retries = 3, limits = defaultJsonLimits, rate = { perSecond: 500, burst: 1_000 } } = options;
  const now = options.now ?? (() => performance.timeOrigin + performance.now());
  const restraint = createThrottle({ rate, now, failuresUntilDown: 3, longestPauseMs: 60_000 });
  const { backoffMs = 200, random = Math.random, sleep = sleepUnlessAborted } = options;
  const retrying = createRetryingHttp({ http, restraint, retries, backoffMs, now, random, sleep });
  return {
    async query(request) {
      if (!URL.canParse(request.url)) return { ok: false, failure: failureOf('EgressDenied', 'not a URL') };
      try {
        return await ask(retrying, request, limits);
      } catch (error) {
        if (error instanceof Unanswered) return { ok: false, failure: error.failure };
        throw error;
      }
    },
  };
};
