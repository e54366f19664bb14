import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Credential, kubeconfigOf } from './kubeconfig.ts';
import type { Cluster } from './kubernetes.ts';

/** The Kubernetes part of a running set. */
export interface KubernetesAccess {
  /** The path of the administrator's kubeconfig. */
  kubeconfig: string;
  /** https://127.0.0.1:port */
  apiServer: string;
  /** Bearer token in the group system:masters. */
  adminToken: string;
  /** The CA that signed the API server's certificate, PEM: as text and as a file. */
  ca: string;
  caFile: string;
  podCidr: string;
  /** Writes a kubeconfig for a user of that name (by client certificate); RBAC decides what it may do. Returns its path. */
  kubeconfigFor(user: string, groups?: string[]): Promise<string>;
  /** Writes a kubeconfig with a token of an existing ServiceAccount, valid for a day. Returns its path. */
  serviceAccountKubeconfig(namespace: string, name: string): Promise<string>;
}

/** What callers get of a cluster; the kubeconfigs they ask for go into `stateDir`. */
export function accessTo(cluster: Cluster, podCidr: string, stateDir: string): KubernetesAccess {
  const { url, ca, caFile, adminToken, kubeconfig } = cluster;
  let written = 0;
  const write = (user: string, credential: Credential) => {
    written += 1;
    const path = join(stateDir, `kubeconfig-${written}`);
    writeFileSync(path, kubeconfigOf({ url, ca: ca.cert }, user, credential).exportConfig(), { mode: 0o600 });
    return path;
  };
  return {
    kubeconfig,
    apiServer: url,
    adminToken,
    ca: ca.cert,
    caFile,
    podCidr,
    kubeconfigFor: async (user, groups = []) =>
      write(user, await ca.issue({ commonName: user, organizations: groups })),
    async serviceAccountKubeconfig(namespace, name) {
      // The audiences are the API server's own.
      const body = { spec: { audiences: [], expirationSeconds: 86_400 } };
      const { status } = await cluster.api.createNamespacedServiceAccountToken({ namespace, name, body });
      return write(`${namespace}:${name}`, { token: status?.token ?? '' });
    },
  };
}
