import { Writable } from 'node:stream';
import { AppsV1Api, CoreV1Api, Exec, KubeConfig, type V1Pod, type V1Status } from '@kubernetes/client-node';
import { eventually } from './processes.ts';

/** The clients of a kubeconfig file. */
export function clientsOf(kubeconfig: string) {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return { config, core: config.makeApiClient(CoreV1Api), apps: config.makeApiClient(AppsV1Api) };
}

/** Creates a Deployment and waits until its pods run. */
export async function runDeployment(kubeconfig: string, name: string, replicas: number): Promise<V1Pod[]> {
  const { apps } = clientsOf(kubeconfig);
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } };
  const body = { metadata: { name }, spec: { replicas, selector: { matchLabels: labels }, template } };
  await apps.createNamespacedDeployment({ namespace: 'default', body });
  return runningPods(kubeconfig, name, replicas);
}

/** Waits until exactly `count` pods of a Deployment exist and all of them run. */
export async function runningPods(kubeconfig: string, name: string, count: number): Promise<V1Pod[]> {
  const { core } = clientsOf(kubeconfig);
  let pods: V1Pod[] = [];
  await eventually(`${count} pods of ${name} run`, async () => {
    pods = (await core.listNamespacedPod({ namespace: 'default', labelSelector: `app=${name}` })).items;
    return pods.length === count && pods.every(({ status }) => status?.phase === 'Running' && status.podIP);
  });
  return pods;
}

/** A command in a pod, over the real websocket path. */
export interface ExecSession {
  output(): string;
  status: Promise<V1Status>;
  close(): void;
}

function collect(): { stream: Writable; text(): string } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { stream, text: () => text };
}

/** Runs a command in a new pod of its own. */
export async function openExec(kubeconfig: string, command: string[]): Promise<ExecSession> {
  const [pod] = await runDeployment(kubeconfig, `exec-${Date.now()}`, 1);
  const out = collect();
  const { promise, resolve } = Promise.withResolvers<V1Status>();
  const exec = new Exec(clientsOf(kubeconfig).config);
  const podName = pod?.metadata?.name ?? '';
  const socket = await exec.exec('default', podName, 'main', command, out.stream, out.stream, null, false, resolve);
  return { output: out.text, status: promise, close: () => socket.close() };
}
