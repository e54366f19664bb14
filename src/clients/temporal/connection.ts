import { readFileSync } from 'node:fs';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';

/** How Temporal is reached. */
export interface TemporalAddress {
  address: string;
  namespace: string;
  /** Absent: plain text. */
  tls?: { caFile?: string; certFile?: string; keyFile?: string; serverName?: string };
  apiKey?: string;
  apiKeyFile?: string;
  /** Told of every key before its first use, so that whatever writes for people can leave it out. */
  onApiKey?(key: string): void;
}

/** Options that the client's connection and the worker's have in common: all but the API key. */
export type TemporalConnectionOptions = Pick<ConnectionOptions, 'address'> & {
  tls?: {
    serverNameOverride?: string;
    serverRootCACertificate?: Buffer;
    clientCertPair?: { crt: Buffer; key: Buffer };
  };
};

const read = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));

/** The connection options of an address. Certificates are read now: one that is rotated later needs a new connection. */
export function connectionOptionsOf({ address, tls }: TemporalAddress): TemporalConnectionOptions {
  if (tls === undefined) return { address };
  const [ca, crt, clientKey] = [read(tls.caFile), read(tls.certFile), read(tls.keyFile)];
  const options: TemporalConnectionOptions['tls'] = {
    ...(tls.serverName !== undefined && { serverNameOverride: tls.serverName }),
    ...(ca !== undefined && { serverRootCACertificate: ca }),
    ...(crt !== undefined && clientKey !== undefined && { clientCertPair: { crt, key: clientKey } }),
  };
  return { address, tls: options };
}

/** Temporal's API key as it is now; undefined where there is none. */
export type ApiKey = () => string | undefined;

/**
 * The API key of an address. A file is read at each use, because keys expire and are replaced while the process runs; one
 * that is empty or missing for a moment is being replaced, so the key before it stays in use. Throws when it was never there.
 */
export function apiKeyOf({ apiKey, apiKeyFile, onApiKey }: TemporalAddress): ApiKey {
  let known: string | undefined;
  const current = (): string | undefined => {
    if (apiKeyFile === undefined) return apiKey;
    try {
      return readFileSync(apiKeyFile, 'utf8').trim() || known;
    } catch (error) {
      if (known === undefined) throw error;
      return known;
    }
  };
  return () => {
    const key = current();
    if (key !== undefined && key !== known) onApiKey?.(key);
    known = key;
    return key;
  };
}

/** A client of Temporal that connects when it is first used, and again whenever the connection was lost. */
export function createTemporalClient(address: TemporalAddress): Client {
  const apiKey = apiKeyOf(address);
  const connection = Connection.lazy({
    ...connectionOptionsOf(address),
    ...(apiKey() !== undefined && { apiKey: () => apiKey() ?? '' }),
  });
  return new Client({ connection, namespace: address.namespace });
}
