import { join } from 'node:path';

/** The servers of the Kubernetes part. */
export const kubernetesServers = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const;
export type KubernetesServer = (typeof kubernetesServers)[number];

/** What a cluster is made from. */
export interface ClusterPlan {
  /** An empty directory of its own. */
  directory: string;
  logDir: string;
  binaries: Record<KubernetesServer, string>;
  /** kwok's stage files, in one file. */
  stages: string;
  ports: {
    etcd: number;
    etcdPeer: number;
    apiServer: number;
    controllerManager: number;
    scheduler: number;
    kubelet: number;
  };
  nodes: number;
  podCidr: string;
  /** Where commands run that are executed in a pod. */
  execWorkDir: string;
}

/** The paths of what the servers prove themselves with and are configured by. */
export interface Credentials {
  caFile: string;
  server: { cert: string; key: string };
  kubelet: { cert: string; key: string };
  signing: { privateKey: string; publicKey: string };
  tokens: string;
  kubeconfig: string;
  kwokConfig: string;
}

/** Flags in the form `--name=value`. */
const flags = (values: Record<string, string | number>) =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

function etcdFlags({ ports, directory }: ClusterPlan): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    ...flags({
      name: 'kco',
      'data-dir': join(directory, 'etcd'),
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `kco=${peer}`,
      'log-level': 'warn',
      'quota-backend-bytes': 2 * 1024 ** 3,
    }),
    // The data outlives a killed process (it is in the page cache), only not a power failure.
    '--unsafe-no-fsync',
  ];
}

function apiServerFlags({ ports }: ClusterPlan, credentials: Credentials): string[] {
  return flags({
    'etcd-servers': `http://127.0.0.1:${ports.etcd}`,
    'bind-address': '127.0.0.1',
    'secure-port': ports.apiServer,
    // Nothing looks for the `kubernetes` Service's endpoints here, and a loopback address would not be allowed there.
    'advertise-address': '127.0.0.1',
    'endpoint-reconciler-type': 'none',
    'tls-cert-file': credentials.server.cert,
    'tls-private-key-file': credentials.server.key,
    'client-ca-file': credentials.caFile,
    'token-auth-file': credentials.tokens,
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': credentials.signing.publicKey,
    'service-account-signing-key-file': credentials.signing.privateKey,
    'service-cluster-ip-range': '10.96.0.0/16',
    'kubelet-certificate-authority': credentials.caFile,
    'kubelet-client-certificate': credentials.kubelet.cert,
    'kubelet-client-key': credentials.kubelet.key,
    'kubelet-preferred-address-types': 'InternalIP',
    'allow-privileged': 'true',
    profiling: 'false',
    // A restart must not wait for the watches of clients that are still there.
    'shutdown-delay-duration': '0s',
  });
}

/** The flags that the controller manager and the scheduler share. */
function componentFlags(port: number, credentials: Credentials): string[] {
  return flags({
    kubeconfig: credentials.kubeconfig,
    'leader-elect': 'false',
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': credentials.server.cert,
    'tls-private-key-file': credentials.server.key,
    // By default the scheduler binds 50 pods a second at most.
    'kube-api-qps': 200,
    'kube-api-burst': 400,
    profiling: 'false',
  });
}

function controllerManagerFlags({ directory }: ClusterPlan, credentials: Credentials): string[] {
  return flags({
    // It creates this directory, by default under /usr.
    'flex-volume-plugin-dir': join(directory, 'flexvolume'),
    'root-ca-file': credentials.caFile,
    'service-account-private-key-file': credentials.signing.privateKey,
    // Tests stop the API server for minutes. Pods that turn NotReady because of that would be a fault on top of the fault.
    'node-monitor-grace-period': '10m',
  });
}

function kwokFlags(plan: ClusterPlan, credentials: Credentials): string[] {
  return flags({
    kubeconfig: credentials.kubeconfig,
    config: credentials.kwokConfig,
    cidr: plan.podCidr,
    'manage-all-nodes': 'true',
    // Otherwise it writes a line for every pod that changes.
    v: 'WARN',
    'node-ip': '127.0.0.1',
    'node-port': plan.ports.kubelet,
    // By default it would listen on every address, and it runs commands for whoever asks.
    'server-address': `127.0.0.1:${plan.ports.kubelet}`,
    'tls-cert-file': credentials.server.cert,
    'tls-private-key-file': credentials.server.key,
  });
}

/** The command line of each server. */
export function serverFlags(plan: ClusterPlan, credentials: Credentials): Record<KubernetesServer, string[]> {
  const { ports } = plan;
  return {
    etcd: etcdFlags(plan),
    'kube-apiserver': apiServerFlags(plan, credentials),
    'kube-controller-manager': [
      ...componentFlags(ports.controllerManager, credentials),
      ...controllerManagerFlags(plan, credentials),
    ],
    'kube-scheduler': componentFlags(ports.scheduler, credentials),
    kwok: kwokFlags(plan, credentials),
  };
}
