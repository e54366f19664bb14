import { stringify } from 'yaml';

/** How a kubeconfig's user proves who it is. */
export type Credential = { token: string } | { cert: string; key: string };

/** The text of a kubeconfig file with one cluster, one user and one context. */
export function kubeconfigText(cluster: { url: string; ca: string }, user: string, credential: Credential): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kco',
    clusters: [{ name: 'kco', cluster: { server: cluster.url, 'certificate-authority-data': base64(cluster.ca) } }],
    users: [
      {
        name: user,
        user:
          'token' in credential
            ? { token: credential.token }
            : {
                'client-certificate-data': base64(credential.cert),
                'client-key-data': base64(credential.key),
              },
      },
    ],
    contexts: [{ name: 'kco', context: { cluster: 'kco', user, namespace: 'default' } }],
  });
}
