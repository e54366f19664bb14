import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiException, CoreV1Api, type V1Node } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { type CertificateAuthority, createCertificateAuthority, createSigningKey } from './certificates.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { type ClusterPlan, type Credentials, type KubernetesServer, serverFlags } from './kubernetes-flags.ts';
import type { ServerProcess } from './server-process.ts';
import { trustingFetch } from './trusting-fetch.ts';

/** A planned cluster: its servers, and what is needed to talk to it. */
export interface Cluster {
  servers: Record<KubernetesServer, ServerProcess>;
  api: CoreV1Api;
  ca: CertificateAuthority;
  caFile: string;
  url: string;
  adminToken: string;
  kubeconfig: string;
  /** Registers the nodes; nodes that exist are left alone. */
  createNodes(): Promise<void>;
  /** True when pods can be created and scheduled: default ServiceAccount there, every node Ready and untainted. May reject before. */
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
const isUsableNode = ({ spec, status }: V1Node): boolean =>
  (status?.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True') &&
  (spec?.taints ?? []).length === 0;

async function createNode(api: CoreV1Api, name: string): Promise<void> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', type: 'kwok' };
  await api.createNode({ body: { metadata: { name, labels } } }).catch((error: ApiException<unknown>) => {
    if (error.code !== 409) throw error;
  });
}

async function allUsable(api: CoreV1Api, nodes: number): Promise<boolean> {
  await api.readNamespacedServiceAccount({ namespace: 'default', name: 'default' });
  const { items } = await api.listNode();
  return items.length >= nodes && items.every(isUsableNode);
}

type ReadyCheck = () => Promise<boolean>;

/** How to see that a server works: each of them has a health endpoint, which answers whoever asks. */
function readyChecks({ ports }: ClusterPlan, ca: string): Record<KubernetesServer, ReadyCheck> {
  const get = trustingFetch(ca);
  const healthz = (port: number) => async () => (await get(`https://127.0.0.1:${port}/healthz`)).ok;
  return {
    etcd: async () => (await fetch(`http://127.0.0.1:${ports.etcd}/health`)).ok,
    'kube-apiserver': async () => (await get(`https://127.0.0.1:${ports.apiServer}/readyz`)).ok,
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
  const admin = kubeconfigOf({ url, ca: ca.cert }, 'admin', { token: adminToken });
  const api = admin.makeApiClient(CoreV1Api);
  const kubeconfig = files.write('kubeconfig', admin.exportConfig());
  const kwokConfigFile = files.write('kwok.yaml', kwokConfig(plan));
  const credentials = { ...(await writeCredentials(ca, adminToken, files)), kubeconfig, kwokConfig: kwokConfigFile };
  return {
    servers: describeServers(plan, credentials, readyChecks(plan, ca.cert)),
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
