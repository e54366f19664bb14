import type { lookup as systemLookup } from 'node:dns';
import { Agent } from 'undici';
import { type Failure, failureOf } from '../../domain/failure.ts';
import { createConnections } from './connections.ts';
import { type AddressGuard, allowsAllButMetadata } from './egress-guard.ts';
import { exchange, type HttpRequest, type HttpResult } from './exchange.ts';
import { createGate, type Leave } from './gate.ts';
import { addressOf } from './sanitize.ts';
import { createStallMeter, type StallMeter } from './stall-meter.ts';

export type { HttpRequest, HttpResult } from './exchange.ts';

/** Requests to systems that are not trusted: bounded in time and size, guarded in where they go. */
export interface Http {
  /** Never rejects for a remote fault; rejects only with the reason of the request's own signal. */
  send(request: HttpRequest): Promise<HttpResult>;
  /** Drops all connections; requests under way fail. */
  close(): Promise<void>;
}

/** What `createHttp` may be told. */
export interface HttpOptions {
  /** Decides on every resolved address, and on IP literals. Default: all but cloud metadata. */
  allow?: AddressGuard;
  /** A response body beyond this many bytes is cut off while reading. Default 1 MiB. */
  maxBytes?: number;
  /** Open connections per scheme, host and port; whoever comes when all are in use waits. Default 64. */
  connectionsPerHost?: number;
  /** Milliseconds an idle connection is kept, unless the server asks for less. Default 65 s: two default polls. */
  keepAliveMs?: number;
  /**
   * Milliseconds after which a connection is not used again, however busy it was: names are then resolved anew, and who
   * balances load has a new choice. Default 2 minutes.
   */
  maxAgeMs?: number;
  /** Milliseconds for DNS, TCP and TLS together. Default 10 s; the deadline of the request holds as well. */
  connectTimeoutMs?: number;
  /** Resolves host names. Default: the system's resolver. */
  lookup?: typeof systemLookup;
  /** Measures how long this process stood still. */
  stalls?: StallMeter;
}

/** The URL to ask, or why it is not asked at all. */
const target = (given: string | URL): URL | Failure => {
  const url = typeof given === 'string' ? URL.parse(given) : given;
  if (url === null) return failureOf('EgressDenied', 'not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return failureOf('EgressDenied', `the scheme ${url.protocol} is refused: use http or https`);
  }
  if (url.username !== '' || url.password !== '') {
    return failureOf('EgressDenied', 'credentials in a URL are refused: they would show up in logs');
  }
  return url;
};

const tooMany = (url: URL, connections: number): HttpResult => ({
  ok: false,
  failure: failureOf(
    'Throttled',
    `${addressOf(url)} was not asked: all ${connections} connections to it are in use (KCO_MAX_CONNECTIONS_PER_HOST)`,
  ),
});

const createAgent = (options: HttpOptions, connections: number, connect: Agent.Options['connect']): Agent =>
  new Agent({
    allowH2: false,
    connect,
    connections,
    keepAliveTimeout: options.keepAliveMs ?? 65_000,
    clientTtl: options.maxAgeMs ?? 120_000,
    // The deadline of the request rules; two more timers per request would only cost.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

/** Connections are kept and shared by every caller of one `createHttp`, so make one per set of egress rules. */
export const createHttp = (options: HttpOptions = {}): Http => {
  const { connectTimeoutMs = 10_000, connectionsPerHost = 64, maxBytes = 1_048_576, lookup } = options;
  const { connector, doing } = createConnections({
    allow: options.allow ?? allowsAllButMetadata,
    connectTimeoutMs,
    lookup,
  });
  const agent = createAgent(options, connectionsPerHost, connector);
  const gate = createGate(connectionsPerHost);
  const stalls = options.stalls ?? createStallMeter();
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const url = target(request.url);
      if (!(url instanceof URL)) return { ok: false, failure: url };
      const letGo = stalls.hold?.();
      const [since, stalledBefore] = [performance.now(), stalls()];
      const stalledMs = () => stalls() - stalledBefore;
      let leave: Leave | undefined;
      try {
        const free = gate.tryEnter(url.origin);
        leave = free ?? (await gate.enter(url.origin, request.deadlineMs, request.signal));
        if (leave === undefined) return tooMany(url, connectionsPerHost);
        const heldMs = free === undefined ? performance.now() - since : 0;
        request.signal?.throwIfAborted();
        return await exchange({ agent, request, url, maxBytes, heldMs, stalledMs, doing: () => doing(url) });
      } finally {
        leave?.();
        letGo?.();
      }
    },
    close: () => agent.destroy(),
  };
};
