import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { KubeError } from './errors.ts';
import { createExecCredential } from './exec-credential.ts';
import type { Access, KubeconfigUser } from './kubeconfig.ts';

/** What proves to the API server who one is, and to whom one talks. */
export interface Credentials {
  headers: Record<string, string>;
  /** Headers by which one acts as somebody else, where the kubeconfig says so. */
  impersonation: Record<string, string | string[]>;
  tls: ConnectionOptions;
  /** Changes when connections must be made anew. */
  identity: string;
  /** Epoch milliseconds; absent: until they are refused. */
  expiresAt?: number;
}

const pem = (data: string | undefined, file: string | undefined): Buffer | undefined => {
  if (data) return Buffer.from(data, 'base64');
  return file ? readFileSync(file) : undefined;
};

/** An explicit `ca` is all that is trusted: Node adds NODE_EXTRA_CA_CERTS to its own defaults only, never to this. */
function tlsOf({ cluster, user }: Access): ConnectionOptions {
  const ca = pem(cluster.caData, cluster.caFile);
  const cert = pem(user['client-certificate-data'], user['client-certificate']);
  const key = pem(user['client-key-data'], user['client-key']);
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
    ...(cluster.skipTLSVerify && { rejectUnauthorized: false }),
  };
}

function impersonationOf(user: KubeconfigUser): Credentials['impersonation'] {
  const extra = Object.entries(user['as-user-extra'] ?? {}).map(([name, values]) => [
    `impersonate-extra-${encodeURIComponent(name).toLowerCase()}`,
    values,
  ]);
  return {
    ...(user.as && { 'impersonate-user': user.as }),
    ...(user['as-uid'] && { 'impersonate-uid': user['as-uid'] }),
    ...(user['as-groups']?.length && { 'impersonate-group': user['as-groups'] }),
    ...Object.fromEntries(extra),
  };
}

/** A file is read at each use, because tokens are replaced while the process runs; while it cannot be, the one before it is good. */
function createToken({ token, tokenFile, 'auth-provider': provider }: KubeconfigUser): () => string | undefined {
  const file = tokenFile ?? provider?.config?.tokenFile;
  let known = token;
  return () => {
    if (file === undefined) return token;
    try {
      known = readFileSync(file, 'utf8').trim() || known;
    } catch (error) {
      if (known === undefined) throw error;
    }
    return known;
  };
}

/** Reads the credentials that a kubeconfig gives, as they are now. It rejects with a `KubeError` while they cannot be read. */
export function createCredentials(access: Access): () => Promise<Credentials> {
  const { user } = access;
  const token = createToken(user);
  const plugin = user.exec === undefined ? undefined : createExecCredential(access);

  const read = async (): Promise<Credentials> => {
    const given = token();
    const tls = tlsOf(access);
    const exec = given === undefined && plugin !== undefined ? await plugin() : {};
    const bearer = given ?? exec.token;
    const { username, password = '' } = user;
    const all = { ...tls, ...(exec.certificate && { cert: exec.certificate, key: exec.key }) };
    return {
      headers: {
        ...(username && { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
        ...(bearer && { authorization: `Bearer ${bearer}` }),
      },
      impersonation: impersonationOf(user),
      tls: all,
      identity: JSON.stringify(Object.values(all).map(String)),
      ...(exec.expiresAt !== undefined && { expiresAt: exec.expiresAt }),
    };
  };

  return async () => {
    try {
      return await read();
    } catch (cause) {
      if (cause instanceof KubeError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the credentials of the kubeconfig cannot be read: ${why}`;
      throw new KubeError({ reason: 'ConnectFailed', message, cause });
    }
  };
}
