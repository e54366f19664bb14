import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ResourceRef } from '../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { podBudget } from '../support/cluster-objects.ts';
import type { OperatorProcess } from '../support/operator-under-test.ts';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

/** Seconds that a running action may take after SIGTERM. */
const grace = 5;
const budgets: ResourceRef = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};

let world: RealWorld;
/** The one that runs; each fault leaves one behind that is well. */
let operator: OperatorProcess;

const startOne = async (settings: Record<string, string> = {}): Promise<OperatorProcess> => {
  const started = await world.spawnOperator(settings);
  await started.ready();
  return started;
};

beforeAll(async () => {
  world = await startWorld({
    KCO_ENABLED_ACTIONS: 'exec_command,restart_pod,webhook',
    KCO_SHUTDOWN_GRACE: String(grace),
  });
  operator = await startOne();
}, 900_000);

afterAll(() => world?.stop());

const rule = (action: string, parameters: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  name: action.replace('_', '-'),
  trigger: whenUnhealthy,
  action,
  parameters,
  ...more,
});
const webhook = (path: string, more: JsonObject = {}) => rule('webhook', { url: world.receiver.url(path) }, more);

const ipOf = (pod: RecordedPod | undefined): string | undefined => pod?.status?.podIP;

/** Waits for some more polls of an address: what has not happened by then does not. */
const somePolls = async (ip: string | undefined, polls = 4) => {
  const before = world.app.requests(ip);
  await until(`${polls} more polls of ${ip}`, () => world.app.requests(ip) >= before + polls);
};

const idsOf = (path: string) => world.receiver.deliveries(path).map(({ headers }) => headers['idempotency-key']);

const linesIn = (file: string): string[] =>
  existsSync(join(world.execDir, file)) ? readFileSync(join(world.execDir, file), 'utf8').trim().split('\n') : [];

const failing = async (one: OperatorProcess) => (await one.ask('/readyz')).body['failing'];

it('an operator killed during three actions: the webhook is repeated under its id, the restart is done once, the command is not repeated but declared unknown within 15 s', async () => {
  const [hooked] = await world.runApp('kill-hook');
  const [evicted] = await world.runApp('kill-evict');
  const [run] = await world.runApp('kill-exec');
  await podBudget(world.kube, 'kill-evict', 1);
  await world.monitor('kill-hook', { actions: [webhook('/kill')] });
  await world.monitor('kill-evict', { actions: [rule('restart_pod', { evict: true })] });
  const command = ['/bin/sh', '-c', 'echo "$1" >> kill-exec; sleep 60', 'sh', '{{pod_name}}'];
  await world.monitor('kill-exec', { actions: [rule('exec_command', { command })] });
  const release = world.receiver.hold('/kill');
  for (const pod of [hooked, evicted, run]) world.says(pod, { health: 'unhealthy' });
  await until('all three are under way', () => idsOf('/kill').length === 1 && linesIn('kill-exec').length === 1);
  await world.event('kill-evict', 'TriggerFired');

  await operator.end('SIGKILL');
  const sinceKilled = startStopwatch();
  release();
  await world.kube.delete(budgets, { namespace: 'default', name: 'kill-evict' });
  operator = await world.spawnOperator();

  const unknown = await world.event('kill-exec', 'ActionOutcomeUnknown');
  expect(sinceKilled.stop()).toBeLessThanOrEqual(15_000);
  expect(unknown.type).toBe('Warning');
  await world.event('kill-hook', 'ActionSucceeded');
  await world.event('kill-evict', 'ActionSucceeded');
  await world.deletedPods('kill-evict', 1);
  await world.pods('kill-evict');
  await somePolls(ipOf(hooked));
  const [id] = idsOf('/kill');
  expect(idsOf('/kill')).toEqual([id, id]);
  expect(await world.deletedPods('kill-evict', 1)).toEqual([evicted?.metadata.name]);
  expect(linesIn('kill-exec')).toEqual([run?.metadata.name]);
  expect(await world.deletedPods('kill-exec', 0)).toEqual([]);
  expect(world.events('kill-hook', 'TriggerFired')).toMatchObject([{ count: 1 }]);
});

it.each(['decision', 'deletion'])(
  'an operator killed at the %s of a restart: the pod is restarted once, and the next one not at all',
  async (moment) => {
    const name = `kill-at-${moment}`;
    const [pod] = await world.runApp(name);
    await world.monitor(name, { actions: [rule('restart_pod')] });
    const killed = Promise.withResolvers<void>();
    const kill = () => {
      operator.send('SIGKILL');
      killed.resolve();
    };
    const stopListening = world.recorder.onPod(({ type, object }) => {
      if (type === 'deleted' && object.metadata.uid === pod?.metadata.uid) kill();
    });
    world.says(pod, { health: 'unhealthy' });
    if (moment === 'decision') {
      await world.event(name, 'TriggerFired');
      kill();
    }
    await killed.promise;
    await operator.end('SIGKILL');
    stopListening();

    operator = await world.spawnOperator();
    await world.event(name, 'ActionSucceeded', 'restart_pod');
    await world.deletedPods(name, 1);
    const [next] = await world.pods(name);
    await somePolls(ipOf(next));
    expect(await world.deletedPods(name, 1)).toEqual([pod?.metadata.name]);
    expect(world.events(name, 'TriggerFired')).toMatchObject([{ count: 1 }]);
    expect(world.events(name, 'StateChanged').filter(({ type }) => type === 'Warning')).toMatchObject([{ count: 1 }]);
  },
);

it('SIGTERM lets a running action end, exits 0 within the grace period, and the next operator goes on where it was', async () => {
  const [pod] = await world.runApp('term');
  await world.runApp('term-deleted');
  await world.monitor('term', { actions: [webhook('/term')] });
  const deleted = await world.monitor('term-deleted');
  const release = world.receiver.hold('/term');
  world.says(pod, { health: 'unhealthy' });
  await until('the action is under way', () => idsOf('/term').length === 1);
  const sinceTerm = startStopwatch();
  const ending = operator.end('SIGTERM');
  await delay(1_000);
  release();
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(sinceTerm.stop()).toBeLessThanOrEqual(grace * 1_000);
  expect(operator.lines.at(-1)).toContain('"stopped"');

  await world.deleteApp('term-deleted');
  await until('it is gone, though nobody is there', () => world.targetApp('term-deleted') === undefined);
  operator = await startOne();
  await world.event('term', 'ActionSucceeded');
  await until('its workflow has ended', async () => (await world.workflowStatus(deleted)) === 'COMPLETED');
  await somePolls(ipOf(pod));
  expect(idsOf('/term')).toHaveLength(1);
});

it('an API server that is away for 10 s holds up neither polls nor webhooks, and nothing is lost when it is back', async () => {
  const [told] = await world.runApp('away-told');
  const [restarted] = await world.runApp('away-restarted');
  await world.monitor('away-told', { actions: [webhook('/away')] });
  await world.monitor('away-restarted', { actions: [rule('restart_pod')] });
  await world.servers.kill('kube-apiserver');
  const awayAt = Date.now();
  const before = world.app.requests(ipOf(told));
  for (const pod of [told, restarted]) world.says(pod, { health: 'unhealthy' });
  await until('the webhook is called without an API server', () => idsOf('/away').length === 1);
  await until('readiness says why', async () => String(await failing(operator)) === 'kubernetes', {
    instead: () => operator.ask('/readyz'),
  });
  expect((await operator.ask('/healthz')).status).toBe(200);
  await delay(10_000 - (Date.now() - awayAt));
  await until('it has been polled all the time', () => world.app.requests(ipOf(told)) - before >= 8);
  // The change back is to be told as well, in its order.
  world.says(told, { health: 'healthy' });
  await somePolls(ipOf(told), 2);

  await world.servers.restart('kube-apiserver');
  await world.event('away-told', 'StateChanged', 'from healthy to unhealthy');
  await world.event('away-told', 'StateChanged', 'from unhealthy to healthy');
  await world.event('away-told', 'TriggerFired');
  await world.event('away-told', 'ActionSucceeded');
  await world.event('away-restarted', 'ActionSucceeded', 'restart_pod');
  await operator.ready();
  await world.deletedPods('away-restarted', 1);
  await somePolls(ipOf(told));
  expect(idsOf('/away')).toHaveLength(1);
  expect(await world.deletedPods('away-restarted', 1)).toEqual([restarted?.metadata.name]);
  for (const reason of ['StateChanged', 'TriggerFired', 'ActionSucceeded'])
    for (const { count } of world.events('away-told', reason)) expect(count).toBe(1);
});

it('a Temporal that is away makes the operator unready but not unhealthy; what is edited, deleted, created and changes meanwhile is honoured within 30 s of its return', async () => {
  const [pod] = await world.runApp('temporal');
  await world.runApp('temporal-deleted');
  const [late] = await world.runApp('temporal-late');
  await world.monitor('temporal', { actions: [webhook('/temporal-old')] });
  const deleted = await world.monitor('temporal-deleted');
  await world.servers.kill('temporal');
  await until('readiness says why', async () => String(await failing(operator)) === 'temporal', {
    instead: () => operator.ask('/readyz'),
  });
  expect((await operator.ask('/healthz')).status).toBe(200);
  await world.watchApp('temporal', { actions: [{ ...webhook('/temporal-new'), name: 'new' }] });
  await world.deleteApp('temporal-deleted');
  await until('it is gone', () => world.targetApp('temporal-deleted') === undefined);
  await world.watchApp('temporal-late');
  await until('an app is polled whose workflow cannot begin', () => world.app.requests(ipOf(late)) > 0);
  for (const one of [pod, late]) world.says(one, { health: 'unhealthy' });
  await somePolls(ipOf(late), 1);

  await world.servers.restart('temporal');
  const sinceBack = startStopwatch();
  await until('the new rule has fired', () => idsOf('/temporal-new').length === 1);
  await until('the new TargetApp is monitored', () => world.targetApp('temporal-late')?.status?.phase === 'Monitoring');
  await world.event('temporal-late', 'StateChanged', 'from healthy to unhealthy');
  await until('the deleted one has ended', async () => (await world.workflowStatus(deleted)) === 'COMPLETED');
  expect(sinceBack.stop()).toBeLessThanOrEqual(30_000);
  await operator.ready();
  await somePolls(ipOf(late));
  // The SDK's native half complains of such an absence.
  expect(operator.lines.some((line) => line.includes('"sdk_component":"core"'))).toBe(true);
  expect(operator.lines.filter((line) => !line.startsWith('{"level":'))).toEqual([]);
  expect(idsOf('/temporal-old')).toEqual([]);
  expect(idsOf('/temporal-new')).toHaveLength(1);
});

/** An app of one pod with an episode whose webhook was sent, and is in the status. */
const firedOnce = async (name: string) => {
  const [pod] = await world.runApp(name);
  const app = await world.monitor(name, { actions: [webhook(`/${name}`)] });
  world.says(pod, { health: 'unhealthy' });
  await world.event(name, 'ActionSucceeded');
  await until('the status has it', () => world.targetApp(name)?.status?.rules?.[0]?.lastOutcome);
  return { pod, app };
};

/** Sees that the episode after that one fires, as another one. */
const firesNext = async (name: string, pod: RecordedPod | undefined): Promise<void> => {
  world.says(pod, { health: 'healthy' });
  await world.event(name, 'StateChanged', 'from unhealthy to healthy');
  world.says(pod, { health: 'unhealthy' });
  await until('the next episode fires', () => idsOf(`/${name}`).length === 2);
  expect(new Set(idsOf(`/${name}`)).size).toBe(2);
};

it('a wiped Temporal database: workflows return within 120 s, and an episode that has fired does not fire again', async () => {
  const { pod, app } = await firedOnce('wiped');

  await world.servers.wipeTemporal();
  const polled = world.app.requests(ipOf(pod));
  const sinceWiped = startStopwatch();
  await until('it is polled again', () => world.app.requests(ipOf(pod)) >= polled + 4, { timeoutMs: 240_000 });
  expect(sinceWiped.stop()).toBeLessThanOrEqual(120_000);
  expect(await world.workflowStatus(app)).toBe('RUNNING');
  expect(idsOf('/wiped')).toHaveLength(1);

  await firesNext('wiped', pod);
});

it('an operator that watches fewer namespaces ends the workflows of the others, and one that watches them again goes on without repeating what has fired', async () => {
  const { pod, app } = await firedOnce('narrowed');

  await operator.end('SIGTERM');
  operator = await startOne({ KCO_WATCH_NAMESPACES: 'elsewhere' });
  await until('its workflow has ended', async () => (await world.workflowStatus(app)) === 'COMPLETED');
  const polled = world.app.requests(ipOf(pod));
  // Nothing tells that a poll was left out but time: three of them would have been due.
  await delay(3_000);
  expect(world.app.requests(ipOf(pod))).toBe(polled);
  expect(world.targetApp('narrowed')?.metadata.uid).toBe(app.metadata.uid);

  await operator.end('SIGTERM');
  operator = await startOne({ KCO_WATCH_NAMESPACES: 'elsewhere,default' });
  await somePolls(ipOf(pod));
  expect(await world.workflowStatus(app)).toBe('RUNNING');
  expect(idsOf('/narrowed')).toHaveLength(1);

  await firesNext('narrowed', pod);
  await operator.end('SIGTERM');
  operator = await startOne();
});

it('two operators have the effects of one, also when one of them stands still in between', async () => {
  const second = await startOne({ POD_NAME: 'second' });
  const pods = await world.runApp('two', 2);
  await world.monitor('two', {
    actions: [
      webhook('/two'),
      { ...webhook('/two-later'), name: 'later', trigger: { ...whenUnhealthy, value: 'down' } },
    ],
  });
  for (const pod of pods) world.says(pod, { health: 'unhealthy' });
  await until('every pod is told', () => world.events('two', 'ActionSucceeded').length === 2);
  await somePolls(ipOf(pods[0]));
  expect(idsOf('/two')).toHaveLength(2);
  expect(new Set(idsOf('/two')).size).toBe(2);

  operator.send('SIGSTOP');
  for (const pod of pods) world.says(pod, { health: 'down' });
  // One that stands still has asked for work, and gets it, until Temporal answers what was asked after a minute; what was
  // given to it comes back after ten seconds.
  await until('every pod is told by the other', () => new Set(idsOf('/two-later')).size === 2, { timeoutMs: 150_000 });
  operator.send('SIGCONT');
  await somePolls(ipOf(pods[0]));
  expect(new Set(idsOf('/two-later')).size).toBe(2);
  for (const { count } of world.events('two', 'TriggerFired')) expect(count).toBe(1);
  expect(world.events('two', 'TriggerFired')).toHaveLength(4);
  expect(await second.end('SIGTERM')).toMatchObject({ code: 0 });
});
