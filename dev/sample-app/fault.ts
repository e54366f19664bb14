import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** How an instance misbehaves. `times`: for so many requests, then it is well again; without it until told otherwise. */
export type Fault = { times?: number } & (
  | { kind: 'body'; body: string | Buffer; contentType?: string; status?: number }
  | { kind: 'drip'; everyMs: number }
  | { kind: 'errors'; fields: string[] }
  | { kind: 'flood'; bytes: number }
  | { kind: 'gzip' }
  | { kind: 'hang' }
  | { kind: 'latency'; ms: number }
  | { kind: 'redirect'; to: string; status?: number }
  | { kind: 'reset' }
  | { kind: 'status'; status: number; retryAfter?: string }
  | { kind: 'truncate' }
);

/** A request in the hands of a fault. `reply` is what a healthy instance would have said. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  reply: { status: number; body: string };
}

const json = { 'content-type': 'application/json' };

/** The ordinary answer. */
export const respond = ({ response, reply }: Exchange): void => {
  response.writeHead(reply.status, { ...json, 'content-length': Buffer.byteLength(reply.body) }).end(reply.body);
};

const drip = async ({ response, reply }: Exchange, everyMs: number): Promise<void> => {
  response.writeHead(200, json);
  for (const byte of reply.body) {
    if (response.destroyed) return;
    response.write(byte);
    await delay(everyMs);
  }
  response.end();
};

function* floodOf(bytes: number): Generator<string> {
  yield '{"data":{"text":"';
  const chunk = 'x'.repeat(65_536);
  for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
  yield '"}}';
}

/** As much as the other side takes; that it hangs up is to be expected. */
const flood = async ({ response }: Exchange, bytes: number): Promise<void> => {
  response.writeHead(200, json);
  await pipeline(floodOf(bytes), response).catch(() => undefined);
};

type Misbehave = { [K in Fault['kind']]: (exchange: Exchange, fault: Extract<Fault, { kind: K }>) => unknown };

const misbehaviours: Misbehave = {
  body: ({ response }, { body, contentType = 'application/json', status = 200 }) =>
    response.writeHead(status, { 'content-type': contentType }).end(body),
  drip: (exchange, { everyMs }) => drip(exchange, everyMs),
  // The answer itself carries the errors.
  errors: respond,
  flood: (exchange, { bytes }) => flood(exchange, bytes),
  gzip: ({ response, reply }) =>
    response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync(reply.body)),
  hang: () => undefined,
  latency: async (exchange, { ms }) => {
    await delay(ms);
    respond(exchange);
  },
  redirect: ({ response }, { to, status = 302 }) => response.writeHead(status, { location: to }).end(),
  reset: ({ request }) => request.socket.resetAndDestroy(),
  status: ({ response }, { status, retryAfter }) =>
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(),
  truncate: ({ request, response, reply }) => {
    response.writeHead(200, { ...json, 'content-length': Buffer.byteLength(reply.body) });
    response.write(reply.body.slice(0, reply.body.length / 2), () => request.socket.destroySoon());
  },
};

/** Answers as the fault says. */
export const misbehave = async (exchange: Exchange, fault: Fault): Promise<void> => {
  const act = misbehaviours[fault.kind] as (exchange: Exchange, fault: Fault) => unknown;
  await act(exchange, fault);
};
