import { output, type Ran, run } from './command.ts';

const words = (variable: string): string[] => (process.env[variable] ?? '').split(' ').filter(Boolean);

/** How the suite reaches a cluster: the current kubeconfig and any real node (kind, k3d, a cloud), as CONTRIBUTING.md says. */
const prefix = words('KCO_E2E_RUN');

export const images = { operator: 'localhost/kco-operator:e2e', sampleApp: 'localhost/kco-sample-app:e2e' };

/** Builds both images and brings them to the node. */
export async function provideImages(): Promise<void> {
  if (process.env['KCO_E2E_SKIP_IMAGES']) return;
  const load = words('KCO_E2E_IMAGE_LOAD');
  if (load.length === 0) {
    throw new Error('Set KCO_E2E_IMAGE_LOAD to what brings an image to your node, e.g. "kind load docker-image".');
  }
  const builder = process.env['KCO_E2E_IMAGE_BUILD'];
  const build = builder ? ['env', `KCO_BUILDER=${builder}`, './build.sh'] : ['./build.sh'];
  const timeoutMs = 600_000;
  await output([...build, '-t', images.operator], { timeoutMs });
  await output([...build, '--target', 'sample-app', '-t', images.sampleApp], { timeoutMs });
  for (const image of Object.values(images)) await output([...load, image], { timeoutMs });
}

export const kubectl = (...args: string[]): Promise<string> => output([...prefix, 'kubectl', ...args]);
/** One that may fail. */
export const tryKubectl = (...args: string[]): Promise<Ran> => run([...prefix, 'kubectl', ...args]);
export const helm = (...args: string[]): Promise<string> =>
  output([...prefix, 'helm', ...args], { timeoutMs: 300_000 });

/** Applies objects. */
export const apply = (...objects: object[]): Promise<string> =>
  output([...prefix, 'kubectl', 'apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });

/** An object, or undefined when it is not there. */
export const get = async <T>(type: string, name: string, namespace: string): Promise<T | undefined> => {
  const { code, stdout } = await tryKubectl('get', type, name, '-n', namespace, '-o', 'json');
  return code === 0 ? (JSON.parse(stdout) as T) : undefined;
};

/** The objects of a type. */
export const list = async <T>(type: string, namespace: string, ...more: string[]): Promise<T[]> =>
  (JSON.parse(await kubectl('get', type, '-n', namespace, '-o', 'json', ...more)) as { items: T[] }).items;

export interface Pod {
  metadata: { name: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  status: { phase: string; podIP?: string; conditions?: { type: string; status: string }[] };
}

export const isReady = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');

/** A namespace in which only pods of the `restricted` standard may be. */
export const restrictedNamespace = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' },
  },
});
