import type { CoreV1Api } from '@kubernetes/client-node';
import type { CertificateAuthority } from './certificates.ts';
import { type Credential, kubeconfigOf } from './kubeconfig.ts';

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

/** Adds to what is known of a cluster the kubeconfigs that are asked for. `write` writes a file and returns its path. */
export function accessTo(
  known: Omit<KubernetesAccess, 'ca' | 'kubeconfigFor' | 'serviceAccountKubeconfig'>,
  { api, ca, write }: { api: CoreV1Api; ca: CertificateAuthority; write(name: string, text: string): string },
): KubernetesAccess {
  let count = 0;
  const writeKubeconfig = (user: string, credential: Credential): string => {
    count += 1;
    const config = kubeconfigOf({ url: known.apiServer, ca: ca.cert }, user, credential);
    return write(`kubeconfig-${count}`, config.exportConfig());
  };
  return {
    ...known,
    ca: ca.cert,
    kubeconfigFor: async (user, groups = []) =>
      writeKubeconfig(user, await ca.issue({ commonName: user, organizations: groups })),
    async serviceAccountKubeconfig(namespace, name) {
      // The audiences are the API server's own.
      const body = { spec: { audiences: [], expirationSeconds: 86_400 } };
      const { status } = await api.createNamespacedServiceAccountToken({ namespace, name, body });
      return writeKubeconfig(`${namespace}:${name}`, { token: status?.token ?? '' });
    },
  };
}
