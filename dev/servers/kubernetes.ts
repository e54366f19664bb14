import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type CertificateAuthority, createCertificateAuthority, createSigningKey } from './certificates.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { type ClusterPlan, type Credentials, type KubernetesServer, serverFlags } from './kubernetes-flags.ts';
import type { ServerProcess } from './server-process.ts';

/** A planned cluster: its servers, and what is needed to talk to it. */
export interface Cluster {
  servers: Record<KubernetesServer, ServerProcess>;
  api: ApiClient;
  ca: CertificateAuthority;
  caFile: string;
  url: string;
  adminToken: string;
  kubeconfig: string;
  /** Registers the nodes; nodes that exist are left alone. */
  createNodes(): Promise<void>;
  /** True when pods can be created and scheduled: default ServiceAccount there, every node Ready and untainted. */
  isUsable(): Promise<boolean>;
}

interface Files {
  write(name: string, text: string): string;
}

function filesIn(directory: string): Files {
  mkdirSync(directory, { recursive: true });
  return {
    write(name, text) {
      const path = join(directory, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
  };
}

const nodeName = (index: number) => `node-${index + 1}`;

/** A command executed in any pod is run on this machine: `local` is kwok's word for that. */
function kwokConfig(plan: ClusterPlan): string {
  const anyPod = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterExec',
    metadata: { name: 'any-pod' },
    spec: { execs: [{ local: { workDir: plan.execWorkDir } }] },
  };
  return `${readFileSync(plan.stages, 'utf8')}\n---\n${stringify(anyPod)}`;
}

async function writeCredentials(ca: CertificateAuthority, adminToken: string, files: Files) {
  const pair = async (name: string, subject: Parameters<CertificateAuthority['issue']>[0]) => {
    const { cert, key } = await ca.issue(subject);
    return { cert: files.write(`${name}.crt`, cert), key: files.write(`${name}.key`, key) };
  };
  const signing = createSigningKey();
  const names = ['127.0.0.1', '10.96.0.1', 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  return {
    caFile: files.write('ca.crt', ca.cert),
    server: await pair('server', { commonName: 'kube-apiserver', names }),
    kubelet: await pair('kubelet-client', {
      commonName: 'kube-apiserver-kubelet-client',
      organizations: ['system:masters'],
    }),
    signing: {
      privateKey: files.write('service-account.key', signing.privateKey),
      publicKey: files.write('service-account.pub', signing.publicKey),
    },
    tokens: files.write('tokens.csv', `${adminToken},admin,admin,"system:masters"\n`),
  };
}

/** Kubernetes counts a node as usable when it is Ready and the taint of a new node is gone. */
function isUsableNode(node: unknown): boolean {
  const { spec, status } = node as {
    spec?: { taints?: unknown[] };
    status?: { conditions?: { type: string; status: string }[] };
  };
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  return ready && (spec?.taints ?? []).length === 0;
}

async function createNode(api: ApiClient, name: string): Promise<void> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', type: 'kwok' };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } };
  const { status, body } = await api.call('POST', '/api/v1/nodes', node);
  if (status !== 201 && status !== 409) throw new Error(`node ${name} was refused: ${JSON.stringify(body)}`);
}

async function allUsable(api: ApiClient, nodes: number): Promise<boolean> {
  const account = await api.call('GET', '/api/v1/namespaces/default/serviceaccounts/default');
  if (account.status !== 200) return false;
  const { body } = await api.call('GET', '/api/v1/nodes');
  const items = (body as { items?: unknown[] }).items ?? [];
  return items.length >= nodes && items.every(isUsableNode);
}

type ReadyCheck = () => Promise<boolean>;

/** How to see that a server works: each of them has a health endpoint. */
function readyChecks({ ports }: ClusterPlan, api: ApiClient, ca: string): Record<KubernetesServer, ReadyCheck> {
  const answers = (client: ApiClient, path: string) => () =>
    client.call('GET', path).then(({ status }) => status === 200);
  const healthz = (port: number) => answers(createApiClient(`https://127.0.0.1:${port}`, ca), '/healthz');
  return {
    etcd: async () => (await fetch(`http://127.0.0.1:${ports.etcd}/health`)).ok,
    'kube-apiserver': answers(api, '/readyz'),
    'kube-controller-manager': healthz(ports.controllerManager),
    'kube-scheduler': healthz(ports.scheduler),
    kwok: healthz(ports.kubelet),
  };
}

function describeServers(plan: ClusterPlan, credentials: Credentials, checks: Record<KubernetesServer, ReadyCheck>) {
  const args = serverFlags(plan, credentials);
  const server = (name: KubernetesServer): ServerProcess => ({
    name,
    file: plan.binaries[name],
    args: args[name],
    cwd: plan.directory,
    logFile: join(plan.logDir, `${name}.log`),
    isReady: checks[name],
  });
  return {
    etcd: server('etcd'),
    'kube-apiserver': server('kube-apiserver'),
    'kube-controller-manager': server('kube-controller-manager'),
    'kube-scheduler': server('kube-scheduler'),
    kwok: server('kwok'),
  } satisfies Record<KubernetesServer, ServerProcess>;
}

/** Writes certificates, tokens and kubeconfig into the plan's directory and says how to run each server. Starts nothing. */
export async function planCluster(plan: ClusterPlan): Promise<Cluster> {
  const files = filesIn(plan.directory);
  const ca = await createCertificateAuthority('kco-servers');
  const adminToken = randomBytes(24).toString('hex');
  const url = `https://127.0.0.1:${plan.ports.apiServer}`;
  const api = createApiClient(url, ca.cert, adminToken);
  const kubeconfig = files.write('kubeconfig', kubeconfigText({ url, ca: ca.cert }, 'admin', { token: adminToken }));
  const kwokConfigFile = files.write('kwok.yaml', kwokConfig(plan));
  const credentials = { ...(await writeCredentials(ca, adminToken, files)), kubeconfig, kwokConfig: kwokConfigFile };
  return {
    servers: describeServers(plan, credentials, readyChecks(plan, api, ca.cert)),
    api,
    ca,
    caFile: credentials.caFile,
    url,
    adminToken,
    kubeconfig,
    createNodes: async () => {
      await Promise.all(Array.from({ length: plan.nodes }, (_, index) => createNode(api, nodeName(index))));
    },
    isUsable: () => allUsable(api, plan.nodes),
  };
}
