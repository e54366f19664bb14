import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { type Failure, failureOf } from '../domain/observation.ts';
import { type AddressGuard, allowsAllButMetadata } from './egress.ts';
import { exchange, type HttpRequest, type HttpResult } from './http-exchange.ts';
import { EgressDenied } from './http-failure.ts';

export type { HttpRequest, HttpResult } from './http-exchange.ts';

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
  /** Open connections per scheme, host and port. Default 16. */
  connectionsPerHost?: number;
  /** Milliseconds an idle connection is kept, unless the server asks for less. Default 65 s: two default polls. */
  keepAliveMs?: number;
  /** Milliseconds for DNS, TCP and TLS together. Default 10 s; the deadline of the request holds as well. */
  connectTimeoutMs?: number;
  /** Resolves host names. Default: the system's resolver. */
  lookup?: typeof systemLookup;
}

/**
 * Resolves a name once and lets all its addresses pass, or none: a name that also points to a forbidden place is not
 * half trusted. The socket connects to what is returned here, so nothing can change between the check and the use.
 */
const guardedLookup = (allow: AddressGuard, lookup: typeof systemLookup): LookupFunction => {
  return (hostname, options, callback) => {
    lookup(hostname, { ...(options as LookupOptions), all: true }, (error, addresses: LookupAddress[]) => {
      const denied = error === null ? addresses.find(({ address }) => !allow(address)) : undefined;
      const problem = error ?? (denied && new EgressDenied(denied.address));
      const first = addresses?.[0];
      if (problem || first === undefined) callback(problem ?? new Error('no address'), '', 0);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
};

/** A connector that also guards IP literals, for which no lookup happens. */
const guardedConnector = (allow: AddressGuard, options: HttpOptions): buildConnector.connector => {
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectTimeoutMs ?? 10_000,
    lookup: guardedLookup(allow, options.lookup ?? systemLookup),
  } as buildConnector.BuildOptions);
  return (target, callback) => {
    if (isIP(target.hostname) !== 0 && !allow(target.hostname)) callback(new EgressDenied(target.hostname), null);
    else connect(target, callback);
  };
};

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

/** Connections are kept and shared by every caller of one `createHttp`, so make one per set of egress rules. */
export const createHttp = (options: HttpOptions = {}): Http => {
  const agent = new Agent({
    allowH2: false,
    connect: guardedConnector(options.allow ?? allowsAllButMetadata, options),
    connections: options.connectionsPerHost ?? 16,
    keepAliveTimeout: options.keepAliveMs ?? 65_000,
    // The deadline of the request rules; two more timers per request would only cost.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const maxBytes = options.maxBytes ?? 1_048_576;
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const url = target(request.url);
      return url instanceof URL ? exchange({ agent, request, url, maxBytes }) : { ok: false, failure: url };
    },
    close: () => agent.destroy(),
  };
};
