import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, NetworkError } from 'graphql-sse';
import type { Dispatcher } from 'undici';
import { type Failure, failureOf } from '../../../domain/failure.ts';
import { badStatus, connectionFailure } from '../../http/failure.ts';
import { defaultJsonLimits } from '../../http/safe-json.ts';
import { sanitize } from '../../http/sanitize.ts';
import { answerIn, firstError } from '../response.ts';
import { Attempt, notSpoken, type SubscriptionListener, type SubscriptionRequest } from './attempt.ts';
import { createPace, type PaceLimits } from './pace.ts';

export interface EventStreamOptions {
  /** Guards where to; ends what says nothing for too long. */
  dispatcher: Dispatcher;
  /** Of one message. */
  maxBytes: number;
  pace: PaceLimits;
}

/** What the client library uses of a response. */
interface Stream {
  ok: boolean;
  status: number;
  statusText: string;
  body: AsyncIterable<Uint8Array>;
}

/** Ends the library's part of an attempt; why is with the attempt already. */
class Over extends Error {}

const typeIn = (headers: Dispatcher.ResponseData['headers']): string | undefined => [headers['content-type']].flat()[0];

/** No encoding: in the word of HTTP, and in that of the reference server. */
const plain = new Set(['identity', 'none']);

/** Bytes of a refusal that are read for what it says. */
const maxRefusalBytes = 16_384;

/** What a server says of its refusal, to follow the sentence; empty where it says nothing of GraphQL. */
async function saidIn({ body, headers }: Dispatcher.ResponseData, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxRefusalBytes) return '';
  }
  const answer = answerIn(Buffer.concat(chunks), typeIn(headers), url, defaultJsonLimits);
  return 'class' in answer || answer.errors.length === 0 ? '' : `: ${firstError(answer)}`;
}

/** Why an answer is not followed. */
async function refusalOf(answer: Dispatcher.ResponseData, attempt: Attempt, url: string): Promise<Failure | undefined> {
  const { statusCode, headers } = answer;
  if (statusCode >= 300 && statusCode < 400)
    return failureOf('RedirectRefused', `${attempt.address} answered ${statusCode}: redirects are not followed`);
  if (statusCode !== 200) return badStatus(url, statusCode, await saidIn(answer, url).catch(() => ''));
  const type = typeIn(headers) ?? 'an unknown type';
  if (!type.startsWith('text/event-stream'))
    return notSpoken(attempt, `answered with ${sanitize(type, 60)} instead of text/event-stream`);
  const encoding = String(headers['content-encoding'] ?? 'identity');
  return plain.has(encoding) ? undefined : notSpoken(attempt, 'compresses its events although nobody asked for it');
}

const closed = ({ address }: Attempt): Failure => failureOf('ConnectFailed', `${address} closed the connection`);

const isSilence = (error: unknown): boolean => (error as { code?: unknown }).code === 'UND_ERR_BODY_TIMEOUT';

function failureBelow(error: unknown, { address }: Attempt): Failure {
  return isSilence(error)
    ? failureOf('ConnectFailed', `${address} said nothing for too long`, { about: 'silent' })
    : connectionFailure(error, address);
}

/** How many bytes of a message that is not complete have come. */
function pending(before: number, chunk: Uint8Array): number {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  const end = Math.max(...blankLines.map((line) => text.lastIndexOf(line)));
  return end < 0 ? before + chunk.length : chunk.length - end;
}

const blankLines = ['\n\n', '\n\r\n', '\r\r'];

/** The bytes of a stream, at a pace, and no more of them in one message than allowed. */
async function* bounded(
  body: AsyncIterable<Uint8Array>,
  attempt: Attempt,
  { maxBytes, pace: limits }: EventStreamOptions,
): AsyncGenerator<Uint8Array> {
  const pace = createPace(limits);
  let bytes = 0;
  try {
    for await (const chunk of body) {
      const waitMs = pace(chunk.length);
      bytes = pending(bytes, chunk);
      if (bytes > maxBytes)
        attempt.fail(failureOf('TooLarge', `${attempt.address} sent a message of more than ${maxBytes} bytes`));
      yield chunk;
      if (waitMs > 0) await Promise.race([attempt.over, sleep(waitMs, undefined, { ref: false })]);
    }
    // What came last may say that it is complete, and is being read.
    setImmediate(() => attempt.fail(closed(attempt)));
  } catch (error) {
    attempt.fail(failureBelow(error, attempt));
    throw error;
  }
}

/** Sends the library's request on connections of our own; what is not a stream of events ends the attempt. */
const streamFor =
  (request: SubscriptionRequest, options: EventStreamOptions, attempt: Attempt) =>
  async (_: string, init: { body: string; headers: Record<string, string>; signal: AbortSignal }): Promise<Stream> => {
    const { origin, pathname, search } = new URL(request.url);
    const { headers, body, signal } = init;
    try {
      const answer = await options.dispatcher.request({
        origin,
        path: pathname + search,
        method: 'POST',
        headers: { 'accept-encoding': 'identity', 'user-agent': 'kco', ...headers },
        body,
        signal,
      });
      const refusal = await refusalOf(answer, attempt, request.url);
      if (refusal !== undefined) {
        attempt.fail(refusal);
        answer.body.on('error', () => undefined).destroy();
        throw new Over();
      }
      attempt.accepted();
      return { ok: true, status: 200, statusText: '', body: bounded(answer.body, attempt, options) };
    } catch (error) {
      attempt.fail(failureBelow(error, attempt));
      throw error;
    }
  };

/** Follows a subscription over server-sent events (graphql-sse, distinct connections mode) until it is over; resolves with why. */
export async function followEventStream(
  request: SubscriptionRequest,
  listener: SubscriptionListener,
  options: EventStreamOptions,
): Promise<Failure | undefined> {
  const attempt = new Attempt(request, listener);
  const client = createClient({
    url: request.url,
    fetchFn: streamFor(request, options, attempt),
    // Whether and when there is another attempt is decided elsewhere.
    retryAttempts: 0,
  });
  const unsubscribe = client.subscribe<unknown, unknown>(
    { query: request.document, variables: request.variables },
    {
      next: (result) => attempt.heard(result),
      error: (reason) =>
        attempt.fail(
          reason instanceof NetworkError ? closed(attempt) : notSpoken(attempt, 'does not keep to graphql-sse'),
        ),
      complete: () => attempt.completed(),
    },
  );
  const failure = await attempt.over;
  unsubscribe();
  client.dispose();
  return failure;
}
