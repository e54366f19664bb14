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
}

/** Options that the client's connection and the worker's have in common. */
export type TemporalConnectionOptions = Pick<ConnectionOptions, 'address'> & {
  apiKey?: string;
  tls?: {
    serverNameOverride?: string;
    serverRootCACertificate?: Buffer;
    clientCertPair?: { crt: Buffer; key: Buffer };
  };
};

const read = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));

/** The connection options of an address. Files are read now: a new connection sees rotated ones. */
export function connectionOptionsOf({ address, tls, apiKey, apiKeyFile }: TemporalAddress): TemporalConnectionOptions {
  const key = apiKey ?? read(apiKeyFile)?.toString('utf8').trim();
  const options: TemporalConnectionOptions = { address, ...(key !== undefined && { apiKey: key }) };
  if (tls === undefined) return options;
  const [ca, crt, clientKey] = [read(tls.caFile), read(tls.certFile), read(tls.keyFile)];
  options.tls = {
    ...(tls.serverName !== undefined && { serverNameOverride: tls.serverName }),
    ...(ca !== undefined && { serverRootCACertificate: ca }),
    ...(crt !== undefined && clientKey !== undefined && { clientCertPair: { crt, key: clientKey } }),
  };
  return options;
}

/** A client of Temporal that connects when it is first used, and again whenever the connection was lost. */
export function createTemporalClient(address: TemporalAddress): Client {
  return new Client({ connection: Connection.lazy(connectionOptionsOf(address)), namespace: address.namespace });
}
