import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { KubeObject, ResourceRef } from '../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { podBudget } from '../support/cluster-objects.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import { requestCounts } from '../support/request-counts.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
const namespace = 'default';

beforeAll(async () => {
  world = await startWorld();
  await world.operate({
    KCO_ENABLED_ACTIONS: 'exec_command,patch_resource,restart_pod,scale_deployment,webhook',
    KCO_TEMPORAL_WEB_URL: 'http://temporal.example',
  });
}, 900_000);

afterAll(() => world?.stop());

interface Stored extends KubeObject {
  data?: Record<string, string>;
  spec?: { replicas?: number };
}

const configMaps: ResourceRef = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const deployments: ResourceRef = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
const budgets: ResourceRef = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};

const replicasOf = async (name: string) =>
  (await world.kube.get<Stored>(deployments, { namespace, name }))?.spec?.replicas;
const dataOf = async (name: string) => (await world.kube.get<Stored>(configMaps, { namespace, name }))?.data;
const createConfigMap = (name: string) =>
  world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data: { kept: 'as it was' } });

const onUnhealthy = (action: string, parameters: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  name: `do-${action.replace('_', '-')}`,
  trigger: whenUnhealthy,
  action,
  parameters,
  ...more,
});

/** How often the API server has answered an eviction with 429, which is how a budget refuses. */
const refusedEvictions = async () => {
  const counts = Object.entries(await requestCounts(world.servers));
  const refusals = counts.filter(([what]) => what.includes('subresource="eviction"') && what.includes('code="429"'));
  return refusals.reduce((sum, [, count]) => sum + count, 0);
};

/** A command that leaves a line in a file of the machine that the pods run on. */
const leaving = (file: string, ...then: string[]): string[] => [
  '/bin/sh',
  '-c',
  ['echo "$2" >> "$1"', ...then].join('; '),
  'sh',
  file,
];
const linesIn = (file: string): string[] =>
  existsSync(join(world.execDir, file)) ? readFileSync(join(world.execDir, file), 'utf8').trim().split('\n') : [];

it.concurrent('restart_pod with evict waits for as long as a PodDisruptionBudget refuses, and then restarts once', async () => {
  const [pod] = await world.runApp('evicted');
  await podBudget(world.kube, 'evicted', 1);
  await world.monitor('evicted', { actions: [onUnhealthy('restart_pod', { evict: true })] });
  world.says(pod, { health: 'unhealthy' });
  await world.event('evicted', 'TriggerFired');
  await until('the budget has refused', async () => (await refusedEvictions()) > 0);
  expect(await world.deletedPods('evicted', 0)).toEqual([]);
  await world.kube.delete(budgets, { namespace, name: 'evicted' });
  const succeeded = await world.event('evicted', 'ActionSucceeded', 'restart_pod');
  expect(succeeded.message).toContain(pod?.metadata.name);
  expect(await world.deletedPods('evicted', 1)).toEqual([pod?.metadata.name]);
  const [next] = await world.pods('evicted');
  expect(next?.metadata.uid).not.toBe(pod?.metadata.uid);
});

it.concurrent('restart_pod with pods: all restarts every pod that the selector matches', async () => {
  const before = await world.runApp('all', 3);
  const trigger = { ...whenUnhealthy, pods: 'any' };
  await world.monitor('all', { actions: [onUnhealthy('restart_pod', { pods: 'all' }, { trigger })] });
  world.says(before[1], { health: 'unhealthy' });
  await world.event('all', 'ActionSucceeded');
  const deleted = await world.deletedPods('all', 3);
  expect(deleted.sort()).toEqual(before.map(({ metadata }) => metadata.name).sort());
  const after = await world.pods('all', 3);
  const uids = new Set(before.map(({ metadata }) => metadata.uid));
  expect(after.filter(({ metadata }) => uids.has(metadata.uid))).toEqual([]);
});

it.concurrent('scale_deployment sets the replicas of the Deployment that owns the pod', async () => {
  const [pod] = await world.runApp('scaled');
  await world.monitor('scaled', { actions: [onUnhealthy('scale_deployment', { replicas: 3 })] });
  world.says(pod, { health: 'unhealthy' });
  const succeeded = await world.event('scaled', 'ActionSucceeded');
  expect(succeeded.message).toContain('from 1 to 3');
  expect(await replicasOf('scaled')).toBe(3);
  await world.pods('scaled', 3);
});

it.concurrent('patch_resource puts what was seen into an object and leaves the rest of it alone', async () => {
  const [pod] = await world.runApp('patched');
  await createConfigMap('patched');
  const patch = {
    data: { health: '{{new_value}}', pod: '{{pod_name}}', tasks: 'there are {{state.application.pendingTasks}}' },
  };
  await world.monitor('patched', {
    actions: [onUnhealthy('patch_resource', { apiVersion: 'v1', kind: 'ConfigMap', name: 'patched', patch })],
  });
  world.says(pod, { health: 'unhealthy', pendingTasks: 7 });
  await world.event('patched', 'ActionSucceeded');
  expect(await dataOf('patched')).toEqual({
    kept: 'as it was',
    health: 'unhealthy',
    pod: pod?.metadata.name,
    tasks: 'there are 7',
  });
});

it.concurrent('webhook sends headers and templates with their types, repeats a 503 under the same key, and a new episode under another', async () => {
  const [pod] = await world.runApp('told');
  world.receiver.answer('/told', 503, 503);
  const payload = {
    tasks: '{{state.application.pendingTasks}}',
    text: '{{tapp_name}} in {{namespace}}: {{field}} went from {{old_value}} to {{new_value}} ({{rule}})',
    error: '{{state.application.lastError}}',
    link: '{{workflow_url}}',
    id: '{{action_id}}',
  };
  const headers = { 'X-Pod': '{{pod_name}}', 'X-Fixed': 'as it stands' };
  const app = await world.monitor('told', {
    actions: [onUnhealthy('webhook', { url: world.receiver.url('/told'), method: 'PUT', headers, payload })],
  });
  world.says(pod, { health: 'unhealthy', pendingTasks: 7, lastError: null });
  await world.event('told', 'ActionSucceeded');
  const deliveries = world.receiver.deliveries('/told');
  const key = deliveries[0]?.headers['idempotency-key'];
  expect(key).toContain(app.metadata.uid);
  expect(deliveries.map((each) => each.headers['idempotency-key'])).toEqual([key, key, key]);
  expect(new Set(deliveries.map(({ body }) => body)).size).toBe(1);
  expect(deliveries[0]).toMatchObject({
    method: 'PUT',
    headers: {
      'x-pod': pod?.metadata.name,
      'x-fixed': 'as it stands',
      'webhook-id': key,
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
      'content-type': 'application/json',
    },
  });
  expect(JSON.parse(deliveries[0]?.body ?? '')).toEqual({
    tasks: 7,
    text: 'told in default: application.health went from healthy to unhealthy (do-webhook)',
    error: null,
    link: expect.stringContaining(`http://temporal.example/namespaces/default/workflows/`),
    id: key,
  });

  world.says(pod, { health: 'healthy' });
  await world.event('told', 'StateChanged', 'to healthy');
  world.says(pod, { health: 'unhealthy' });
  const next = await until('the next episode is told', () => world.receiver.deliveries('/told')[3]);
  expect(next.headers['idempotency-key']).not.toBe(key);
});

it.concurrent('webhook gives up at once where the receiver says no, and says so', async () => {
  const [pod] = await world.runApp('rebuffed');
  world.receiver.answer('/rebuffed', 403, 403, 403);
  await world.monitor('rebuffed', { actions: [onUnhealthy('webhook', { url: world.receiver.url('/rebuffed') })] });
  world.says(pod, { health: 'unhealthy' });
  const failed = await world.event('rebuffed', 'ActionFailed');
  expect(failed).toMatchObject({ type: 'Warning', message: expect.stringContaining('403') });
  expect(world.receiver.deliveries('/rebuffed')).toHaveLength(1);
  const unhealthy = await until('the status says so', () =>
    world
      .targetApp('rebuffed')
      ?.status?.conditions?.find(({ type, status }) => type === 'ActionsHealthy' && status === 'False'),
  );
  expect(unhealthy).toMatchObject({ reason: 'HTTPStatus', message: expect.stringContaining('403') });
});

it.concurrent('exec_command runs in the pod once, and its output stands in the history', async () => {
  const [pod] = await world.runApp('run');
  const command = [...leaving('run', 'echo "did it for $2"'), '{{pod_name}}'];
  const app = await world.monitor('run', { actions: [onUnhealthy('exec_command', { command, container: 'app' })] });
  world.says(pod, { health: 'unhealthy' });
  await world.event('run', 'ActionSucceeded');
  expect(linesIn('run')).toEqual([pod?.metadata.name]);
  expect(await world.history(app)).toContain(`did it for ${pod?.metadata.name}`);
});

it.concurrent('exec_command that ends in an error is a Warning with what the node says, and is not repeated', async () => {
  const [pod] = await world.runApp('failing');
  const command = [...leaving('failing', 'exit 3'), 'x'];
  await world.monitor('failing', { actions: [onUnhealthy('exec_command', { command })] });
  world.says(pod, { health: 'unhealthy' });
  // kwok tells an exit code other than 0 as an error of the node, so what became of the command is not known.
  const told = await world.event('failing', 'ActionOutcomeUnknown');
  expect(told).toMatchObject({ type: 'Warning', message: expect.stringContaining('exit status 3') });
  const polled = world.app.requests(pod?.status?.podIP);
  await until('three more polls', () => world.app.requests(pod?.status?.podIP) >= polled + 3);
  expect(linesIn('failing')).toEqual(['x']);
});

it.concurrent.each([
  ['of the TargetApp', {}, { dryRun: true }],
  ['of a rule', { dryRun: true }, {}],
])('dryRun %s decides and reports all five actions and does none of them', async (what, ofRule, ofSpec) => {
  const name = what === 'of a rule' ? 'dry-rule' : 'dry-app';
  const [pod] = await world.runApp(name);
  await createConfigMap(name);
  const ofConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', name, patch: { data: { new: 'x' } } };
  const actions = [
    onUnhealthy('exec_command', { command: [...leaving(name), 'x'] }, ofRule),
    onUnhealthy('patch_resource', ofConfigMap, ofRule),
    onUnhealthy('restart_pod', {}, ofRule),
    onUnhealthy('scale_deployment', { replicas: 5 }, ofRule),
    onUnhealthy('webhook', { url: world.receiver.url(`/${name}`) }, ofRule),
  ];
  await world.monitor(name, { actions, ...ofSpec });
  world.says(pod, { health: 'unhealthy' });
  await until('all five are told', () => world.events(name, 'ActionDryRun').length === 5, {
    instead: () => world.events(name).map(({ reason, message }) => `${reason}: ${message}`),
  });
  expect(world.events(name, 'TriggerFired')).toHaveLength(5);
  expect(world.events(name, 'ActionSucceeded')).toEqual([]);
  const polled = world.app.requests(pod?.status?.podIP);
  await until('three more polls', () => world.app.requests(pod?.status?.podIP) >= polled + 3);
  expect((await world.pods(name)).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
  expect(await replicasOf(name)).toBe(1);
  expect(await dataOf(name)).toEqual({ kept: 'as it was' });
  expect(world.receiver.deliveries(`/${name}`)).toEqual([]);
  expect(linesIn(name)).toEqual([]);
});

it.concurrent('a call that the operator has no right to is refused with the line that checks it', async () => {
  const [pod] = await world.runApp('forbidden');
  const patch = { spec: { minAvailable: 0 } };
  const parameters = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', name: 'forbidden', patch };
  await world.monitor('forbidden', { actions: [onUnhealthy('patch_resource', parameters)] });
  world.says(pod, { health: 'unhealthy' });
  const refusal = await world.event('forbidden', 'ActionRefused');
  expect(refusal).toMatchObject({ type: 'Warning', message: expect.stringContaining('kco may not patch') });
  expect(refusal.message).toContain(
    'kubectl auth can-i patch poddisruptionbudgets.policy/forbidden -n default --as kco',
  );
});
