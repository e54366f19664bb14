import { spawn } from 'node:child_process';
import { KubeError } from './errors.ts';
import type { Access, ExecPlugin } from './kubeconfig.ts';

/** What a plugin gives. */
export interface ExecCredential {
  token?: string;
  certificate?: string;
  key?: string;
  /** Epoch milliseconds; absent: until it is refused. */
  expiresAt?: number;
}

/** A plugin asks over a network more often than not, so another attempt may help. */
const failed = (command: string, why: string, cause?: unknown): KubeError =>
  new KubeError({ reason: 'ConnectFailed', message: `the exec plugin ${command} of the kubeconfig ${why}`, cause });

const patienceMs = 60_000;
const maxOutput = 1024 * 1024;

/** What every plugin is told in KUBERNETES_EXEC_INFO, as kubectl does; of the cluster only where it asks for that. */
function execInfo({ apiVersion, provideClusterInfo }: ExecPlugin, { cluster, pluginConfig }: Access): string {
  const { server, caData, skipTLSVerify, tlsServerName, proxyUrl } = cluster;
  const about = {
    server,
    ...(tlsServerName && { 'tls-server-name': tlsServerName }),
    ...(skipTLSVerify && { 'insecure-skip-tls-verify': true }),
    ...(caData && { 'certificate-authority-data': caData }),
    ...(proxyUrl && { 'proxy-url': proxyUrl }),
    ...(pluginConfig !== undefined && { config: pluginConfig }),
  };
  const spec = { interactive: false, ...(provideClusterInfo && { cluster: about }) };
  return JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
}

/** What the command prints; rejects without its words, because those may be secrets. */
const outputOf = (command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> =>
  new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => reject(failed(command, `${why}: run it by hand to see why`, cause));
    const child = spawn(command, args, {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      signal: AbortSignal.timeout(patienceMs),
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (output.length < maxOutput) output += chunk;
    });
    child.once('error', (cause) => fail(cause.name === 'AbortError' ? 'did not end' : 'could not be run', cause));
    child.once('close', (code) => (code === 0 ? resolve(output) : fail(`ended with ${code ?? 'a signal'}`)));
  });

interface Printed {
  kind?: string;
  status?: {
    token?: string;
    clientCertificateData?: string;
    clientKeyData?: string;
    expirationTimestamp?: string;
  };
}

function credentialIn(output: string, command: string): ExecCredential {
  let printed: Printed | undefined;
  try {
    printed = JSON.parse(output) as Printed;
  } catch {
    // Whoever could not read it would quote it.
    throw failed(command, 'printed no JSON');
  }
  const { token, clientCertificateData: certificate, clientKeyData: key, expirationTimestamp } = printed?.status ?? {};
  if (!token && !(certificate && key)) throw failed(command, 'printed neither a token nor a certificate');
  const expiresAt = Date.parse(expirationTimestamp ?? '');
  return {
    ...(token && { token }),
    ...(certificate && key && { certificate, key }),
    ...(!Number.isNaN(expiresAt) && { expiresAt }),
  };
}

/** Runs the plugin of a kubeconfig's user when its credential is needed and is not, or no longer, there. */
export function createExecCredential(access: Access): () => Promise<ExecCredential> {
  let known: ExecCredential | undefined;
  return async () => {
    const plugin = access.user.exec ?? {};
    const { command = '', args, env } = plugin;
    if (known !== undefined && (known.expiresAt ?? Number.POSITIVE_INFINITY) > Date.now()) return known;
    const own = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    // The plugin's environment is this process's: it is handed on, and nothing here reads it.
    const environment = { ...process.env, ...own, KUBERNETES_EXEC_INFO: execInfo(plugin, access) };
    known = credentialIn(await outputOf(command, args ?? [], environment), command);
    return known;
  };
}
