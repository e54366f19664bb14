import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiException, CoreV1Api, type V1Node } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { type CertificateAuthority, createCertificateAuthority, createSigningKey } from './certificates.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { accessTo, type KubernetesAccess } from './kubernetes-access.ts';
import {
  type ClusterPlan,
  type Credentials,
  type KubernetesServer,
  kubernetesServers,
  serverFlags,
} from './kubernetes-flags.ts';
import type { ServerProcess } from './server-process.ts';
import { trustingFetch } from './trusting-fetch.ts';

/** A planned cluster: its servers, and what is needed to talk to it. */
export interface Cluster {
  servers: Record<KubernetesServer, ServerProcess>;
  access: KubernetesAccess;
  /** Registers the nodes; nodes that exist are left alone. */
  createNodes(): Promise<void>;
  /** True when pods can be created and scheduled: default ServiceAccount there, every node Ready and untainted. May reject before. */
  isUsable(): Promise<boolean>;
}

const filesIn = (directory: string) => {
  mkdirSync(directory, { recursive: true });
  return {
    write(name: string, text: string): string {
      const path = join(directory, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
  };
};

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

async function writeCredentials(ca: CertificateAuthority, adminToken: string, files: ReturnType<typeof filesIn>) {
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

/** How to see that a server works: each of them has a health endpoint, which answers whoever asks. */
function readyChecks({ ports }: ClusterPlan, ca: string): Record<KubernetesServer, ServerProcess['isReady']> {
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

function serversOf(plan: ClusterPlan, credentials: Credentials, ca: string): Cluster['servers'] {
  const [args, checks] = [serverFlags(plan, credentials), readyChecks(plan, ca)];
  const servers = kubernetesServers.map((name): [KubernetesServer, ServerProcess] => {
    const [file, logFile] = [plan.binaries[name], join(plan.logDir, `${name}.log`)];
    return [name, { name, file, args: args[name], cwd: plan.directory, logFile, isReady: checks[name] }];
  });
  return Object.fromEntries(servers) as Cluster['servers'];
}

/** Writes certificates, tokens and kubeconfig into the plan's directory and says how to run each server. Starts nothing. */
export async function planCluster(plan: ClusterPlan): Promise<Cluster> {
  const files = filesIn(plan.directory);
  const ca = await createCertificateAuthority('kco-servers');
  const adminToken = randomBytes(24).toString('hex');
  const apiServer = `https://127.0.0.1:${plan.ports.apiServer}`;
  const admin = kubeconfigOf({ url: apiServer, ca: ca.cert }, 'admin', { token: adminToken });
  const api = admin.makeApiClient(CoreV1Api);
  const kubeconfig = files.write('kubeconfig', admin.exportConfig());
  const kwokConfigFile = files.write('kwok.yaml', kwokConfig(plan));
  const credentials = { ...(await writeCredentials(ca, adminToken, files)), kubeconfig, kwokConfig: kwokConfigFile };
  const { caFile } = credentials;
  const known = { kubeconfig, apiServer, adminToken, caFile, podCidr: plan.podCidr };
  return {
    servers: serversOf(plan, credentials, ca.cert),
    access: accessTo(known, { api, ca, ...files }),
    createNodes: async () => {
      await Promise.all(Array.from({ length: plan.nodes }, (_, index) => createNode(api, nodeName(index))));
    },
    isUsable: () => allUsable(api, plan.nodes),
  };
}
