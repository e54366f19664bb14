import { KubeConfig } from '@kubernetes/client-node';

/** How a kubeconfig's user proves who it is. */
export type Credential = { token: string } | { cert: string; key: string };

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig with one cluster, one user and one context. */
export function kubeconfigOf(cluster: { url: string; ca: string }, user: string, credential: Credential): KubeConfig {
  const proof =
    'token' in credential ? credential : { certData: base64(credential.cert), keyData: base64(credential.key) };
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'kco', server: cluster.url, caData: base64(cluster.ca) }],
    users: [{ name: user, ...proof }],
    contexts: [{ name: 'kco', cluster: 'kco', user, namespace: 'default' }],
    currentContext: 'kco',
  });
  return config;
}
