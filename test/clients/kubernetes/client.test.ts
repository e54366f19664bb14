import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '../../../dev/servers/certificates.ts';
import { type Servers, startServers } from '../../../dev/servers/start-servers.ts';
import { createKube, type Kube, type KubeObject, type ResourceRef } from '../../../src/clients/kubernetes/client.ts';
import { createInformer } from '../../../src/clients/kubernetes/informer/informer.ts';
import { pods } from '../../../src/clients/kubernetes/pods.ts';
import { podBudget, runDeployment, widgetCrd } from '../../support/cluster-objects.ts';
import { until } from '../../support/until.ts';

const ref = (apiVersion: string, kind: string, plural: string, namespaced = true): ResourceRef => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});
const configMaps = ref('v1', 'ConfigMap', 'configmaps');
const crds = ref('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false);
const widgets = ref('test.example/v1', 'Widget', 'widgets');
const events = ref('v1', 'Event', 'events');
const namespace = 'default';

let servers: Servers;
let kube: Kube;

beforeAll(async () => {
  servers = await startServers({ parts: 'kubernetes' });
  kube = createKube({ kubeconfig: servers.kubernetes.kubeconfig, version: 'test' });
  await kube.create(crds, widgetCrd);
  await until('widgets are served', () => kube.isServed(widgets));
}, 600_000);

afterAll(async () => {
  await kube.close();
  await servers.stop();
});

const configMap = (name: string, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
});
const widget = (name: string) => ({ apiVersion: 'test.example/v1', kind: 'Widget', metadata: { namespace, name } });

describe('objects', () => {
  it('are created, read, patched and deleted', async () => {
    const created = await kube.create<KubeObject>(configMaps, configMap('life', { a: '1' }));
    await expect(kube.get(configMaps, { namespace, name: 'life' })).resolves.toMatchObject({ data: { a: '1' } });
    const patched = kube.patch(configMaps, { namespace, name: 'life' }, { type: 'merge', body: { data: { b: '2' } } });
    await expect(patched).resolves.toMatchObject({ data: { a: '1', b: '2' } });
    const { uid } = created.metadata;
    await expect(kube.delete(configMaps, { namespace, name: 'life' }, { uid: 'another' })).resolves.toBe('gone');
    await expect(kube.delete(configMaps, { namespace, name: 'life' }, { uid })).resolves.toBe('deleted');
    await expect(kube.delete(configMaps, { namespace, name: 'life' }, { uid })).resolves.toBe('gone');
    await expect(kube.get(configMaps, { namespace, name: 'life' })).resolves.toBeUndefined();
  });

  it('are not stored by a dry run', async () => {
    await kube.create(configMaps, configMap('dry'), { dryRun: true });
    await expect(kube.get(configMaps, { namespace, name: 'dry' })).resolves.toBeUndefined();
  });

  it('are listed by page', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await kube.create(configMaps, configMap(name));
    const first = await kube.list<KubeObject>(configMaps, { namespace, limit: 2 });
    const second = await kube.list<KubeObject>(configMaps, { namespace, limit: 2, continue: first.metadata.continue });
    expect(first.items).toHaveLength(2);
    expect(second.items.map(({ metadata }) => metadata.name)).not.toContain(first.items[0]?.metadata.name);
  });

  it.each([
    ref('absent.example/v1', 'Absent', 'absents'),
    ref('apps/v1', 'Absent', 'absents'),
    ref('test.example/v1', 'Absent', 'absents'),
  ])('of a type that is not served are told from absent objects: $apiVersion', async (absent) => {
    await expect(kube.get(absent, { namespace, name: 'x' })).rejects.toMatchObject({
      status: 404,
      resourceMissing: true,
    });
    await expect(kube.list(absent)).rejects.toMatchObject({ resourceMissing: true });
    await expect(kube.isServed(absent)).resolves.toBe(false);
  });
});

describe('a status', () => {
  const body = (name: string, uid: string, status: object) =>
    ({ ...widget(name), metadata: { namespace, name, uid }, status }) as never;

  it('is applied to the object of that uid only', async () => {
    const { metadata } = await kube.create<KubeObject>(widgets, widget('w1'));
    await expect(kube.applyStatus(widgets, body('w1', metadata.uid, { phase: 'A' }))).resolves.toBe('applied');
    await expect(kube.applyStatus(widgets, body('w1', 'another', { phase: 'B' }))).resolves.toBe('gone');
    await expect(kube.applyStatus(widgets, body('absent', metadata.uid, { phase: 'B' }))).resolves.toBe('gone');
    await expect(kube.get(widgets, { namespace, name: 'w1' })).resolves.toMatchObject({ status: { phase: 'A' } });
  });

  it('is applied again after others changed the object, and not to its successor', async () => {
    const { metadata } = await kube.create<KubeObject>(widgets, widget('w3'));
    await expect(kube.applyStatus(widgets, body('w3', metadata.uid, { phase: 'A' }))).resolves.toBe('applied');
    await kube.patch(widgets, { namespace, name: 'w3' }, { type: 'merge', body: { metadata: { labels: { x: 'y' } } } });
    await expect(kube.applyStatus(widgets, body('w3', metadata.uid, { phase: 'B' }))).resolves.toBe('applied');
    await kube.delete(widgets, { namespace, name: 'w3' });
    await kube.create<KubeObject>(widgets, widget('w3'));
    await expect(kube.applyStatus(widgets, body('w3', metadata.uid, { phase: 'C' }))).resolves.toBe('gone');
    await expect(kube.get(widgets, { namespace, name: 'w3' })).resolves.not.toHaveProperty('status');
  });

  it('that the schema refuses is an error, and not taken for another uid', async () => {
    const { metadata } = await kube.create<KubeObject>(widgets, widget('w2'));
    await expect(kube.applyStatus(widgets, body('w2', metadata.uid, { phase: 'x'.repeat(100) }))).rejects.toMatchObject(
      { status: 422 },
    );
  });

  it('of a type that is not served is an error, and does not look like a deleted object', async () => {
    const absent = ref('absent.example/v1', 'Absent', 'absents');
    await expect(kube.applyStatus(absent, body('w1', 'u', {}))).rejects.toMatchObject({ resourceMissing: true });
  });
});

it('applies an Event twice without making two', async () => {
  const event = (count: number) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: 'web.1' },
    involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'web', namespace },
    reason: 'StateChanged',
    message: 'changed',
    type: 'Normal',
    count,
  });
  await kube.applyEvent(event(1));
  await kube.applyEvent(event(2));
  const { items } = await kube.list<KubeObject & { count: number }>(events, {
    namespace,
    fieldSelector: 'involvedObject.name=web',
  });
  expect(items.map(({ count }) => count)).toEqual([2]);
});

describe('pods', () => {
  it('have the Deployment for an owner, not its ReplicaSet', async () => {
    const [pod] = await runDeployment(kube, 'owned', 1);
    const name = pod?.metadata.name ?? '';
    await expect(kube.ownerOfPod({ namespace, name })).resolves.toMatchObject({ kind: 'Deployment', name: 'owned' });
    await expect(kube.ownerOfPod({ namespace, name: 'absent' })).resolves.toBeUndefined();
  });

  it('are deleted and evicted by uid, and a dry run leaves them', async () => {
    const [pod] = await runDeployment(kube, 'evicted', 1);
    const { name, uid } = pod?.metadata ?? { name: '', uid: '' };
    await expect(kube.evictPod({ namespace, name }, { uid: 'another' })).resolves.toEqual({ result: 'gone' });
    await expect(kube.evictPod({ namespace, name: 'absent' }, { uid })).resolves.toEqual({ result: 'gone' });
    await expect(kube.evictPod({ namespace, name }, { uid, dryRun: true })).resolves.toEqual({ result: 'deleted' });
    await expect(kube.deletePod({ namespace, name }, { uid, dryRun: true })).resolves.toBe('deleted');
    await expect(kube.get(pods, { namespace, name })).resolves.not.toMatchObject({
      metadata: { deletionTimestamp: expect.anything() },
    });
    await expect(kube.evictPod({ namespace, name }, { uid })).resolves.toEqual({ result: 'deleted' });
  });

  it('are not evicted against a PodDisruptionBudget', async () => {
    const [pod] = await runDeployment(kube, 'guarded', 1);
    const { name, uid } = pod?.metadata ?? { name: '', uid: '' };
    await podBudget(kube, 'guarded', 1);
    await expect(kube.evictPod({ namespace, name }, { uid })).resolves.toMatchObject({ result: 'blocked' });
    await expect(kube.evictPod({ namespace, name }, { uid, dryRun: true })).resolves.toMatchObject({
      result: 'blocked',
    });
  });

  it('run commands', async () => {
    const [pod] = await runDeployment(kube, 'commanded', 1);
    const request = { namespace, pod: pod?.metadata.name ?? '', timeoutMs: 10_000 };
    const done = kube.exec({ ...request, command: ['sh', '-c', 'echo "$1"; echo err >&2', 'sh', 'a "b" $c'] });
    await expect(done).resolves.toMatchObject({
      result: 'exited',
      code: 0,
      output: expect.stringContaining('a "b" $c\n'),
    });
    await expect(kube.exec({ ...request, command: ['false'] })).resolves.toMatchObject({
      result: 'error',
      reason: 'InternalError',
    });
    await expect(kube.exec({ ...request, pod: 'absent', command: ['ls'] })).resolves.toMatchObject({
      result: 'neverSent',
      error: { status: 404 },
    });
    const cut = await kube.exec({ ...request, command: ['head', '-c', '100000', '/dev/zero'] });
    expect('output' in cut && cut.output.length).toBe(16 * 1024);
  });
});

it('scales a Deployment to a number', async () => {
  await runDeployment(kube, 'scaled', 1);
  const target = { kind: 'Deployment', namespace, name: 'scaled' } as const;
  // The status changes the version, too, as long as the Deployment settles.
  const set = async (replicas: number, dryRun: boolean) => {
    for (let tries = 1; ; tries += 1) {
      const { resourceVersion } = (await kube.getScale(target)) ?? { resourceVersion: '' };
      try {
        return { resourceVersion, stored: await kube.setScale(target, { replicas, resourceVersion }, { dryRun }) };
      } catch (error) {
        if (tries === 20) throw error;
      }
    }
  };
  await expect(set(3, true)).resolves.toMatchObject({ stored: 3 });
  await expect(kube.getScale(target)).resolves.toMatchObject({ replicas: 1 });
  const { resourceVersion } = await set(2, false);
  await expect(kube.getScale(target)).resolves.toMatchObject({ replicas: 2 });
  await expect(kube.setScale(target, { replicas: 5, resourceVersion })).rejects.toMatchObject({ status: 409 });
  await expect(kube.getScale({ ...target, name: 'absent' })).resolves.toBeUndefined();
});

describe('rights', () => {
  it('are those of whom the client acts as', async () => {
    const robot = kube.as('system:serviceaccount:default:robot');
    await expect(robot.whoAmI()).resolves.toBe('system:serviceaccount:default:robot');
    await expect(robot.get(configMaps, { namespace, name: 'x' })).rejects.toMatchObject({
      status: 403,
      reason: 'Forbidden',
    });
    const access = { verb: 'get', group: '', resource: 'configmaps', namespace };
    await expect(robot.canI(access)).resolves.toMatchObject({ allowed: false });
    await expect(kube.canI(access)).resolves.toMatchObject({ allowed: true });
    const exec = await robot.exec({ namespace, pod: 'x', command: ['ls'], timeoutMs: 5000 });
    expect(exec).toMatchObject({ result: 'neverSent', error: { status: 403 } });
  });

  it('may come from a ServiceAccount token', async () => {
    const client = createKube({ kubeconfig: await servers.kubernetes.serviceAccountKubeconfig('default', 'default') });
    await expect(client.whoAmI()).resolves.toBe('system:serviceaccount:default:default');
    await client.close();
  });
});

it('knows the server and its types', async () => {
  await expect(kube.version()).resolves.toMatch(/^v1\./);
  await expect(kube.ready()).resolves.toBeUndefined();
  await expect(kube.discover('apps/v1', 'Deployment')).resolves.toEqual(ref('apps/v1', 'Deployment', 'deployments'));
  await expect(kube.discover('apps/v1', 'Absent')).resolves.toBeUndefined();
  await expect(kube.discover('absent.example/v1', 'Absent')).resolves.toBeUndefined();
});

it('does not trust an authority that only the environment names', async () => {
  const { apiServer, caFile } = servers.kubernetes;
  const other = Buffer.from((await createCertificateAuthority('another')).cert).toString('base64');
  const config = {
    clusters: [{ name: 'c', cluster: { server: apiServer, 'certificate-authority-data': other } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  const kubeconfig = join(servers.stateDir, 'other-authority');
  writeFileSync(kubeconfig, JSON.stringify(config));
  const script = `import { createKube } from '${new URL('../../../src/clients/kubernetes/client.ts', import.meta.url)}';
    const kube = createKube({ kubeconfig: '${kubeconfig}' });
    console.log(await kube.version().then(() => 'trusted', ({ reason }) => reason));`;
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile, NODE_OPTIONS: '' };
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  expect(said.trim()).toBe('TLSVerifyFailed');
});

describe('a watch cache of the real API server', () => {
  it('keeps its copy while the API server is away, and catches up', async () => {
    const seen: string[] = [];
    const cache = createInformer({
      kube,
      ref: configMaps,
      namespaces: [namespace],
      labelSelector: 'watched=yes',
      transform: ({ metadata }) => metadata.name,
      onChange: (event, name) => seen.push(`${event} ${name}`),
      timing: { backoffMs: 50 },
    });
    const labelled = (name: string) => ({
      ...configMap(name),
      metadata: { namespace, name, labels: { watched: 'yes' } },
    });
    await kube.create(configMaps, labelled('before'));
    cache.start();
    await cache.synced;
    await kube.create(configMaps, labelled('during'));
    await until('both are seen', () => seen.length === 2);
    await servers.kill('kube-apiserver');
    await delay(200);
    expect(cache.list(namespace).sort()).toEqual(['before', 'during']);
    await servers.restart('kube-apiserver');
    await kube.delete(configMaps, { namespace, name: 'before' });
    await until('the deletion is seen', () => seen.length === 3);
    expect(seen).toEqual(['added before', 'added during', 'deleted before']);
    await cache.stop();
  });

  it('tells nothing of an absent CRD, and finds the objects when it comes', async () => {
    const cache = createInformer({
      kube,
      ref: ref('late.example/v1', 'Widget', 'widgets'),
      transform: ({ metadata }) => metadata.name,
      timing: { backoffMs: 50 },
    });
    cache.start();
    await delay(200);
    expect(cache.hasSynced()).toBe(false);
    const late = JSON.parse(JSON.stringify(widgetCrd).replaceAll('test.example', 'late.example'));
    await kube.create(crds, late);
    await cache.synced;
    await cache.stop();
  });
});
