import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressGuard } from './egress-guard.ts';
import { EgressDenied, NameUnresolved } from './failure.ts';

/** What is being done at the moment to get a connection to an origin. */
export type Connecting = 'connecting' | 'resolving' | undefined;

/** How connections are made. */
export interface Connections {
  connector: buildConnector.connector;
  /** Of the origin of a URL; undefined: nothing. */
  doing(url: URL): Connecting;
}

export interface ConnectionOptions {
  allow: AddressGuard;
  /** Milliseconds for DNS, TCP and TLS together. */
  connectTimeoutMs: number;
  lookup?: typeof systemLookup;
}

type Resolved = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/**
 * The system's resolver, asked once at a time for each name: it has few threads, and a name server that does not answer
 * would soon keep all of them.
 */
const createResolver = (lookup: typeof systemLookup) => {
  const underWay = new Map<string, Resolved[]>();
  const keyOf = (hostname: string, { family = 0, hints = 0 }: LookupOptions) => `${hostname}/${family}/${hints}`;
  return {
    resolve(hostname: string, options: LookupOptions, callback: Resolved): void {
      const key = keyOf(hostname, options);
      const others = underWay.get(key);
      if (others !== undefined) {
        others.push(callback);
        return;
      }
      underWay.set(key, [callback]);
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        const waiting = underWay.get(key) ?? [];
        underWay.delete(key);
        for (const each of waiting) each(error, addresses);
      });
    },
    isResolving: (hostname: string): boolean => [...underWay.keys()].some((key) => key.startsWith(`${hostname}/`)),
  };
};

/**
 * Resolves a name once and lets all its addresses pass, or none: a name that also points to a forbidden place is not
 * half trusted. The socket connects to what is returned here, so nothing can change between the check and the use.
 */
const guardedLookup = (allow: AddressGuard, resolve: ReturnType<typeof createResolver>['resolve']): LookupFunction => {
  return (hostname, options, callback) => {
    resolve(hostname, options as LookupOptions, (error, addresses) => {
      const denied = error === null ? addresses.find(({ address }) => !allow(address)) : undefined;
      const problem = error ?? (denied && new EgressDenied(denied.address));
      const first = addresses?.[0];
      if (problem || first === undefined) callback(problem ?? new NameUnresolved(hostname), '', 0);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
};

const originOf = (protocol: string, host: string): string => `${protocol}//${host}`;

/** Makes connections: guards where they lead, names and IP literals alike, and knows how far they have got. */
export const createConnections = (options: ConnectionOptions): Connections => {
  const { allow, connectTimeoutMs } = options;
  const { resolve, isResolving } = createResolver(options.lookup ?? systemLookup);
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    lookup: guardedLookup(allow, resolve),
  } as buildConnector.BuildOptions);
  const underWay = new Map<string, number>();
  const note = (origin: string, change: number): void => {
    const count = (underWay.get(origin) ?? 0) + change;
    if (count > 0) underWay.set(origin, count);
    else underWay.delete(origin);
  };
  const connector: buildConnector.connector = (target, callback) => {
    const { hostname, host, protocol } = target;
    if (isIP(hostname) !== 0 && !allow(hostname)) {
      callback(new EgressDenied(hostname), null);
      return;
    }
    const origin = originOf(protocol, host ?? hostname);
    note(origin, 1);
    connect(target, (...[error, socket]) => {
      note(origin, -1);
      if (error === null) callback(null, socket);
      else callback(isResolving(hostname) ? new NameUnresolved(hostname) : error, null);
    });
  };
  return {
    connector,
    doing: ({ protocol, host, hostname }) => {
      if (isResolving(hostname)) return 'resolving';
      return underWay.has(originOf(protocol, host)) ? 'connecting' : undefined;
    },
  };
};
