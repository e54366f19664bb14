import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import type { KubeObject, ResourceRef } from '../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { startApiProxy } from '../support/api-proxy.ts';
import { operatorRole } from '../support/operator-role.ts';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, targetAppOf, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

/** As few as there may be, so that few sick parts fill them. */
const slots = 4;
const namespaces: ResourceRef = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
const targetApps: ResourceRef = {
  apiVersion: 'operator.kco.local/v1alpha1',
  kind: 'TargetApp',
  plural: 'targetapps',
  namespaced: true,
};

let world: RealWorld;
let operator: OperatorInside;

beforeAll(async () => {
  const taken = Array.from({ length: 8 }, (_, n) => [`Taken${n}`, 'Keyword']);
  world = await startWorld({}, { searchAttributes: Object.fromEntries(taken) });
  operator = await world.operate({
    KCO_MAX_CONCURRENT_ACTIONS: String(slots),
    KCO_MAX_CONCURRENT_ACTIVITIES: String(slots),
  });
}, 900_000);

afterAll(() => world?.stop());

it('a Temporal namespace without room for all search attributes is worked with, and readiness says what to do', async () => {
  const [pod] = await world.runApp('without-attributes');
  const watched = await world.monitor('without-attributes');
  const attributes = async () => {
    const { typedSearchAttributes } = await world.temporal.workflow.getHandle(world.workflowId(watched)).describe();
    return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
  };
  await until('its phase can be found', async () => (await attributes())['KcoPhase'] === 'Monitoring');
  expect(await attributes()).toMatchObject({ KcoNamespace: 'default', KcoReady: true });
  expect(await attributes()).not.toHaveProperty('KcoName');
  world.says(pod, { health: 'unhealthy' });
  await world.event('without-attributes', 'StateChanged');
  expect(await operator.ask('/readyz')).toMatchObject({
    status: 200,
    body: { degraded: ['temporal'], checks: { temporal: { message: expect.stringContaining('no room') } } },
  });
  await world.deleteApp('without-attributes');
  await until('its workflow ends', async () => (await world.workflowStatus(watched)) === 'COMPLETED');
});

const polledAt = (pod: RecordedPod | undefined): number => world.app.requests(pod?.status?.podIP);

/** Waits for four more polls of a pod, which are due within five seconds: it is polled every second. */
async function isPolledOn(pod: RecordedPod | undefined): Promise<void> {
  const before = polledAt(pod);
  const since = startStopwatch();
  await until('it is polled four times more', () => polledAt(pod) >= before + 4);
  expect(since.stop()).toBeLessThanOrEqual(5_000);
}

/** Nothing tells that a poll was left out but time: five of them would have been due. */
async function isPolledNoMore(pod: RecordedPod | undefined): Promise<void> {
  const before = polledAt(pod);
  await delay(5_000);
  expect(polledAt(pod)).toBe(before);
}

it('a receiver that accepts and says nothing, called by more actions than may run at once, holds up neither polls nor reports of others', async () => {
  const silent = await world.runApp('silent');
  const [well] = await world.runApp('well-beside-silent');
  // One after the other to one URL, so each has its own.
  const paths = Array.from({ length: slots + 2 }, (_, n) => `/silent-${n}`);
  const actions = paths.map((path) => ({
    trigger: whenUnhealthy,
    action: 'webhook',
    parameters: { url: world.receiver.url(path), timeout: 60 },
  }));
  const called = () => paths.filter((path) => world.receiver.deliveries(path).length > 0).length;
  await world.monitor('silent', { actions });
  await world.monitor('well-beside-silent');
  const releases = paths.map((path) => world.receiver.hold(path));
  for (const pod of silent) world.says(pod, { health: 'unhealthy' });
  await until('all slots of actions hang', () => called() === slots);

  await isPolledOn(well);
  await isPolledOn(silent[0]);
  const sinceSaid = startStopwatch();
  world.says(well, { health: 'degraded' });
  await world.event('well-beside-silent', 'StateChanged');
  expect(sinceSaid.stop()).toBeLessThanOrEqual(4_000);
  await until('its status says so', () =>
    JSON.stringify(world.targetApp('well-beside-silent')?.status).includes('degraded'),
  );
  expect((await operator.ask('/readyz')).status).toBe(200);
  expect(called()).toBe(slots);
  for (const release of releases) release();
  await until('the others are called as well', () => called() === slots + 2);
});

it('a TargetApp that a finalizer of somebody else keeps is polled no more and acted on no more, also after a restart', async () => {
  const name = 'held-by-finalizer';
  const [pod] = await world.runApp(name);
  const watched = await world.monitor(name, {
    actions: [{ trigger: whenUnhealthy, action: 'webhook', parameters: { url: world.receiver.url('/held') } }],
  });
  const finalizers = (list: string[] | null) =>
    world.kube.patch(
      targetApps,
      { namespace: 'default', name },
      { type: 'merge', body: { metadata: { finalizers: list } } },
    );
  await finalizers(['example.com/slow']);
  await world.deleteApp(name);
  await until('its workflow has ended', async () => (await world.workflowStatus(watched)) === 'COMPLETED');
  expect(world.targetApp(name)?.metadata.deletionTimestamp).toBeDefined();
  world.says(pod, { health: 'unhealthy' });
  await isPolledNoMore(pod);
  const series = `operator_kco_tapp_polls_total{namespace="default",tapp="${name}"`;
  expect(await operator.metrics()).not.toContain(series);

  const another = await world.spawnOperator();
  await another.ready();
  await isPolledNoMore(pod);
  expect(await world.workflowStatus(watched)).toBe('COMPLETED');
  expect(world.receiver.deliveries('/held')).toEqual([]);
  await another.end('SIGTERM');
  await finalizers(null);
  await until('it is gone', () => world.targetApp(name) === undefined);
});

/** Creates an object of a namespace. */
async function create(namespace: string, object: JsonObject): Promise<void> {
  const { apiVersion, kind, metadata } = object as unknown as KubeObject;
  const ref = await world.kube.discover(apiVersion ?? '', kind ?? '');
  if (ref === undefined) throw new Error(`there is no ${kind}`);
  await world.kube.create(ref, { ...object, metadata: { ...metadata, namespace } as unknown as JsonObject });
}

/** Gives `user` a role in a namespace; the one that the operator has elsewhere, or one with these rules alone. */
async function allow(user: string, namespace: string, name: string, rules?: JsonObject[]): Promise<void> {
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } };
  if (rules !== undefined) await create(namespace, { ...rbac, kind: 'Role', rules });
  const roleRef = {
    apiGroup: 'rbac.authorization.k8s.io',
    ...(rules === undefined ? { kind: 'ClusterRole', name: 'kco' } : { kind: 'Role', name }),
  };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }];
  await create(namespace, { ...rbac, kind: 'RoleBinding', roleRef, subjects });
}

const targetAppIn = async (namespace: string, name: string) =>
  (await world.kube.get<KubeObject & { status?: { phase?: string } }>(targetApps, { namespace, name }))?.status;

it('namespaces in which KCO lacks rights are named and hold up no other; with the rights they are looked after, without a restart', async () => {
  await operator.stop();
  const [user, sick, shut] = ['kco-of-one', 'sick', 'shut'];
  await world.kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: sick } });
  await allow(user, 'default', 'kco-of-one');
  const ofApps = operatorRole.rules.filter(({ resources }) =>
    resources.some((each) => each.startsWith('targetapps') || each === 'events'),
  );
  await allow(user, sick, 'kco-apps', ofApps as JsonObject[]);
  await create(sick, targetAppOf('in-sick'));
  const [well] = await world.runApp('well-beside-namespace');
  const partly = await world.spawnOperator({
    KUBECONFIG: await world.servers.kubernetes.kubeconfigFor(user),
    KCO_WATCH_NAMESPACES: `default,${sick},${shut}`,
  });
  await partly.ready();
  await world.monitor('well-beside-namespace');
  await isPolledOn(well);

  expect((await partly.ask('/readyz')).body).toMatchObject({
    status: 'degraded',
    degraded: ['temporal', 'pods', 'targetapps'],
    checks: {
      pods: { ok: true, message: expect.stringMatching(/^sick: pods is forbidden.*; shut: pods is forbidden/) },
      targetapps: { ok: true, message: expect.stringMatching(/^shut: targetapps.* is forbidden/) },
    },
  });
  const up = async (resource: string, namespace: string) => {
    const series = `operator_kco_watch_up{resource="${resource}",namespace="${namespace}"} `;
    return (await partly.metrics())
      .split('\n')
      .find((line) => line.startsWith(series))
      ?.slice(series.length);
  };
  expect(await Promise.all(['default', sick, shut].map((namespace) => up('pods', namespace)))).toEqual(['1', '0', '0']);
  const interruptions = partly.lines.filter((line) => line.includes('"watch failed, retrying"'));
  expect(new Set(interruptions.map((line) => JSON.parse(line).namespace))).toEqual(new Set([sick, shut]));
  // Its pods are unknown, which is something else than none.
  const saysOf = async (): Promise<string> => JSON.stringify(await targetAppIn(sick, 'in-sick')) ?? '';
  await until('its status says that its pods cannot be watched', async () => (await saysOf()).includes('PodsUnknown'));
  expect(await saysOf()).toMatch(/cannot be watched: pods is forbidden/);
  expect(await saysOf()).not.toContain('NoMatchingPods');

  await allow(user, sick, 'kco-of-one');
  // A watch that is refused is tried again within half a minute.
  const patience = { timeoutMs: 120_000, instead: () => partly.ask('/readyz') };
  await until('its TargetApp is looked after', async () => (await saysOf()).includes('NoMatchingPods'), patience);
  await until('its pods are watched', async () => (await up('pods', sick)) === '1', patience);
  expect(partly.lines.some((line) => line.includes('"watch resumed"'))).toBe(true);
  // Another list of namespaces than that of the operators after it.
  await partly.end('SIGTERM');
});

it('an API server that hangs for one namespace holds up neither the polls nor the statuses and Events of another', async () => {
  const sick = 'hanging';
  await world.kube.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: sick } });
  const { apiServer, ca } = world.servers.kubernetes;
  let hangs = false;
  const proxy = await startApiProxy(apiServer, ca, ({ path }) =>
    hangs && path.includes(`/namespaces/${sick}/`) ? { keeps: 'request' } : 'pass',
  );
  const kubeconfig = join(world.execDir, 'through-proxy');
  writeFileSync(
    kubeconfig,
    stringify({
      clusters: [{ name: 'c', cluster: { server: proxy.url } }],
      users: [{ name: 'u', user: { token: world.servers.kubernetes.adminToken } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  const names = Array.from({ length: 3 * slots }, (_, n) => `hanging-${n}`);
  for (const name of names) await create(sick, targetAppOf(name));
  const [well] = await world.runApp('well-beside-hanging');
  const through = await world.spawnOperator({
    KUBECONFIG: kubeconfig,
    KCO_WATCH_NAMESPACES: `default,${sick}`,
    KCO_MAX_CONCURRENT_REPORTS: String(slots),
  });
  await through.ready();
  await world.monitor('well-beside-hanging');
  const isMonitored = async (name: string) => (await targetAppIn(sick, name))?.phase === 'Monitoring';
  for (const name of names) await until(`${name} is monitored`, () => isMonitored(name));

  hangs = true;
  // All of them have something to say, and none can.
  for (const name of names)
    await world.kube.patch(
      targetApps,
      { namespace: sick, name },
      { type: 'merge', body: { spec: { stateQuery: '{ application { health status } }' } } },
    );
  await isPolledOn(well);
  for (const health of ['degraded', 'unhealthy', 'healthy']) {
    const sinceSaid = startStopwatch();
    world.says(well, { health });
    await world.event('well-beside-hanging', 'StateChanged', `to ${health}`);
    expect(sinceSaid.stop()).toBeLessThanOrEqual(5_000);
  }
  hangs = false;
  const generationOf = async (name: string) =>
    (
      await world.kube.get<KubeObject & { status?: { observedGeneration?: number } }>(targetApps, {
        namespace: sick,
        name,
      })
    )?.status?.observedGeneration;
  for (const name of names)
    await until(`${name} says what it could not say`, async () => (await generationOf(name)) === 2, {
      timeoutMs: 60_000,
    });
  await through.end('SIGTERM');
  await proxy.close();
});

it('an app of many pods that all hang holds up no other', async () => {
  const pods = await world.runApp('hangs', 24);
  const [well] = await world.runApp('well-beside-hangs');
  const one = await world.spawnOperator({ KCO_MAX_CONCURRENT_ACTIVITIES: '2' });
  await one.ready();
  await world.monitor('hangs', { pollingInterval: 12, timeout: 10 });
  await world.monitor('well-beside-hangs');
  for (const { status } of pods) world.app.fault(status?.podIP ?? '', { kind: 'hang' });
  const before = polledAt(pods[0]);
  await until('they are asked, and hang', () => polledAt(pods[0]) > before);
  await isPolledOn(well);
  const sinceSaid = startStopwatch();
  world.says(well, { health: 'unhealthy' });
  await world.event('well-beside-hangs', 'StateChanged');
  expect(sinceSaid.stop()).toBeLessThanOrEqual(4_000);
  for (const { status } of pods) world.app.fault(status?.podIP ?? '', undefined);
  await one.end('SIGTERM');
});

it('a CustomResourceDefinition that is removed makes its kind unready and ends nothing else; when it is back, so is all', async () => {
  const crds: ResourceRef = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    namespaced: false,
  };
  const [pod] = await world.runApp('with-crd');
  const one = await world.spawnOperator();
  await one.ready();
  const watched = await world.monitor('with-crd');
  await world.kube.delete(crds, { name: 'targetapps.operator.kco.local' });
  const patience = { timeoutMs: 120_000, instead: () => one.ask('/readyz') };
  await until(
    'readiness names the kind',
    async () => String((await one.ask('/readyz')).body['failing']) === 'targetapps',
    patience,
  );
  expect((await one.ask('/readyz')).body).toMatchObject({
    checks: { kubernetes: { ok: true }, targetapps: { message: expect.stringContaining('does not know TargetApp') } },
  });
  expect((await one.ask('/healthz')).status).toBe(200);
  // Its objects went with it. Whoever did not see them go does not take the absence of the kind for it, and waits.
  await isPolledNoMore(pod);
  expect(['COMPLETED', 'RUNNING']).toContain(await world.workflowStatus(watched));

  await world.kubectl(['apply', '-f', 'crds']);
  await until('the kind served again', async () => (await one.ask('/readyz')).status === 200, patience);
  await until('the workflow of before has ended', async () => (await world.workflowStatus(watched)) === 'COMPLETED');
  await world.monitor('with-crd');
  await isPolledOn(pod);
  expect(one.lines.filter((line) => line.includes('"kind not served"'))).toHaveLength(1);
  await one.end('SIGTERM');
});
