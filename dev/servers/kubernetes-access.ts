import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubeconfigText } from './kubeconfig.ts';
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
  const write = (user: string, credential: Parameters<typeof kubeconfigText>[2]) => {
    written += 1;
    const path = join(stateDir, `kubeconfig-${written}`);
    writeFileSync(path, kubeconfigText({ url, ca: ca.cert }, user, credential), { mode: 0o600 });
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
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
      const request = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 86_400 },
      };
      const { status, body } = await cluster.api.call('POST', path, request);
      if (status !== 201) throw new Error(`no token for ServiceAccount ${namespace}/${name}: ${JSON.stringify(body)}`);
      return write(`${namespace}:${name}`, { token: (body as { status: { token: string } }).status.token });
    },
  };
}
