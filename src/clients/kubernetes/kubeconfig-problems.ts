import type { Access, KubeconfigUser } from './kubeconfig.ts';

/** What of a kubeconfig proves who one is; the other fields of a user say as whom to act. */
const credentials: (keyof KubeconfigUser)[] = [
  'auth-provider',
  'client-certificate',
  'client-certificate-data',
  'exec',
  'token',
  'tokenFile',
  'username',
];
const execVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const proxies = ['http:', 'https:', 'socks5:'];

const instead = 'use an exec plugin, a token, a tokenFile or a client certificate';

const protocolOf = (url: string): string => (URL.canParse(url) ? new URL(url).protocol : url);

type Check = (access: Access) => string | undefined;

/** Each looks at one way to sign in, and says what is wrong with it. */
const checks: Check[] = [
  ({ user: { 'auth-provider': provider } }) =>
    provider === undefined || provider.config?.tokenFile !== undefined
      ? undefined
      : `auth-provider ${provider.name} is not supported: ${instead}`,
  ({ user: { exec } }) =>
    exec === undefined || execVersions.includes(exec.apiVersion ?? '')
      ? undefined
      : `exec with apiVersion ${exec.apiVersion ?? '(none)'} is not supported: the plugin has to speak ${execVersions.join(' or ')}`,
  ({ user: { exec } }) => (exec !== undefined && !exec.command ? 'exec has no command' : undefined),
  ({ user: { exec } }) =>
    exec?.interactiveMode === 'Always'
      ? `exec with interactiveMode Always needs a person at a terminal: ${instead}`
      : undefined,
  ({ user }) => {
    const hasCertificate = Boolean(user['client-certificate'] || user['client-certificate-data']);
    const hasKey = Boolean(user['client-key'] || user['client-key-data']);
    if (hasCertificate === hasKey) return undefined;
    return hasCertificate ? 'its client-certificate has no client-key' : 'its client-key has no client-certificate';
  },
  ({ user }) => {
    const names = Object.keys(user);
    if (names.length === 0 || names.some((name) => credentials.some((known) => known === name))) return undefined;
    return `nothing that it has (${names.join(', ')}) proves who it is: ${instead}`;
  },
  ({ cluster: { proxyUrl } }) =>
    !proxyUrl || proxies.includes(protocolOf(proxyUrl))
      ? undefined
      : `proxy-url ${protocolOf(proxyUrl)} is not supported: it has to be http, https or socks5`,
];

/** Why KCO cannot sign in as this kubeconfig says; undefined when it can. In words, without secrets. */
export const accessProblem = (access: Access): string | undefined => {
  for (const check of checks) {
    const problem = check(access);
    if (problem !== undefined) return problem;
  }
  return undefined;
};
