import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSampleApp } from '../../dev/sample-app/app.ts';
import { freePorts } from '../../dev/servers/ports.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedApp } from '../support/recorder.ts';
import { until } from '../support/until.ts';

let world: RealWorld;

beforeAll(async () => {
  world = await startWorld();
  await world.operate();
}, 900_000);

afterAll(() => world?.stop());

const webhook = (path: string, payload: unknown = '{{new_value}}') => ({
  name: 'tell',
  trigger: whenUnhealthy,
  action: 'webhook',
  parameters: { url: world.receiver.url(path), payload: payload as never },
});

/** Waits until the status of a TargetApp is as wanted. */
const untilStatus = (name: string, what: string, isSo: (status: NonNullable<RecordedApp['status']>) => unknown) =>
  until(
    `${name} ${what}`,
    () => {
      const { status } = world.targetApp(name) ?? {};
      return status !== undefined && isSo(status) ? status : undefined;
    },
    { instead: () => world.targetApp(name)?.status },
  );

const conditionOf = (status: RecordedApp['status'], type: string) =>
  status?.conditions?.find((condition) => condition.type === type);

const untilEnded = (app: RecordedApp) =>
  until(
    `the workflow of ${app.metadata.name} has completed`,
    async () => (await world.workflowStatus(app)) === 'COMPLETED',
    { instead: () => world.workflowStatus(app) },
  );

/** Waits for some more polls of a pod: what has not happened by then does not. */
const somePolls = async (ip: string | undefined, polls = 3) => {
  const before = world.app.requests(ip);
  await until(`${polls} more polls`, () => world.app.requests(ip) >= before + polls);
};

it.concurrent('an edit of the interval takes effect at once, not at the next poll of the old one', async () => {
  const [pod] = await world.runApp('interval');
  await world.monitor('interval', { pollingInterval: 3600, timeout: 1 });
  const sinceEdited = startStopwatch();
  await world.monitor('interval', { pollingInterval: 1, timeout: 1 });
  await somePolls(pod?.status?.podIP);
  expect(sinceEdited.stop()).toBeLessThan(10_000);
});

it.concurrent('an edit of the rules puts the new ones in force and the old ones out of force', async () => {
  const [pod] = await world.runApp('rules');
  await world.monitor('rules', { actions: [webhook('/rules-old')] });
  await world.monitor('rules', { actions: [{ ...webhook('/rules-new'), name: 'new' }] });
  world.says(pod, { health: 'unhealthy' });
  await until('the new rule has fired', () => world.receiver.deliveries('/rules-new').length === 1);
  await somePolls(pod?.status?.podIP);
  expect(world.receiver.deliveries('/rules-old')).toEqual([]);
});

it.concurrent('an edit during an action leaves that action to the generation that decided, retries included', async () => {
  const [pod] = await world.runApp('midway');
  const { receiver } = world;
  receiver.answer('/midway', 503);
  const release = receiver.hold('/midway');
  const before = await world.monitor('midway', { actions: [webhook('/midway', { by: 'first' })] });
  world.says(pod, { health: 'unhealthy' });
  await until('the action is under way', () => receiver.deliveries('/midway').length === 1);
  await world.monitor('midway', { actions: [webhook('/midway', { by: 'second' })] });
  release();
  await world.event('midway', 'ActionSucceeded', 'tell');
  await somePolls(pod?.status?.podIP);
  const [first, second, ...more] = receiver.deliveries('/midway');
  expect([first?.body, second?.body]).toEqual(['{"by":"first"}', '{"by":"first"}']);
  expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
  expect(first?.headers['idempotency-key']).toContain(`${before.metadata.uid}:${before.metadata.generation}:`);
  expect(more).toEqual([]);

  world.says(pod, { health: 'healthy' });
  await world.event('midway', 'StateChanged', 'from unhealthy to healthy');
  world.says(pod, { health: 'unhealthy' });
  const third = await until('the next episode is told', () => receiver.deliveries('/midway')[2]);
  expect(third.body).toBe('{"by":"second"}');
  expect(third.headers['idempotency-key']).toContain(
    `${before.metadata.uid}:${Number(before.metadata.generation) + 1}:`,
  );
});

it.concurrent('the annotation kco.local/poll-requested-at polls at once and is echoed in the status', async () => {
  const [pod] = await world.runApp('asked');
  const spec = { pollingInterval: 3600, timeout: 1 };
  await world.monitor('asked', spec);
  const polled = world.app.requests(pod?.status?.podIP);
  world.says(pod, { health: 'unhealthy' });
  await world.watchApp('asked', spec, { 'kco.local/poll-requested-at': 'now, please' });
  await untilStatus('asked', 'echoes the request', (status) => status.pollRequestedAt === 'now, please');
  expect(world.app.requests(pod?.status?.podIP)).toBe(polled + 1);
  await world.event('asked', 'StateChanged', 'to unhealthy');
});

it.concurrent('spec.suspend stops polling and acting, keeps what is known, and goes on when it is taken back', async () => {
  const [pod] = await world.runApp('paused');
  const ip = pod?.status?.podIP;
  const spec = { actions: [webhook('/paused')] };
  await world.monitor('paused', spec);
  await world.watchApp('paused', { ...spec, suspend: true });
  const status = await untilStatus('paused', 'is suspended', ({ phase }) => phase === 'Suspended');
  expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'Suspended' });
  await world.event('paused', 'Suspended');
  const polled = world.app.requests(ip);
  world.says(pod, { health: 'unhealthy' });
  // Nothing tells that a poll was left out but time: five of them would have been due.
  await delay(5_000);
  expect(world.app.requests(ip)).toBe(polled);
  expect(world.receiver.deliveries('/paused')).toEqual([]);

  await world.monitor('paused', { ...spec, suspend: false });
  await world.event('paused', 'Resumed');
  // The change was missed, not the memory of what was before it.
  await world.event('paused', 'StateChanged', 'from healthy to unhealthy');
  await until('the rule fires after all', () => world.receiver.deliveries('/paused').length === 1);
});

it.concurrent('a spec that only the operator can know to be wrong is Failed and Stalled with the field and the fix, and is polled once it is mended', async () => {
  const [pod] = await world.runApp('wrong');
  const rule = { name: 'tell', action: 'webhook', parameters: { url: world.receiver.url('/wrong') } };
  const trigger = { condition: 'equals', value: 'unhealthy' };
  await world.watchApp('wrong', { actions: [{ ...rule, trigger: { ...trigger, field: 'application.heath' } }] });
  const status = await untilStatus('wrong', 'is Failed', ({ phase }) => phase === 'Failed');
  const stalled = conditionOf(status, 'Stalled');
  expect(stalled).toMatchObject({ status: 'True', reason: 'InvalidSpec' });
  expect(stalled?.message).toContain('spec.actions[0].trigger.field');
  expect(stalled?.message).toContain('heath');
  expect(stalled?.message).toContain('health');
  expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'InvalidSpec' });
  expect(await world.event('wrong', 'InvalidSpec')).toMatchObject({ type: 'Warning', message: stalled?.message });
  expect(world.app.requests(pod?.status?.podIP)).toBe(0);

  const mended = await world.monitor('wrong', {
    actions: [{ ...rule, trigger: { ...trigger, field: 'application.health' } }],
  });
  expect(conditionOf(mended.status, 'Stalled')).toMatchObject({ status: 'False' });
  await somePolls(pod?.status?.podIP, 1);
});

it.concurrent('an app that cannot be asked is NoMatchingPods while no pod matches, and is monitored when there is one', async () => {
  await world.watchApp('nobody');
  const status = await untilStatus(
    'nobody',
    'has no pods',
    (each) => conditionOf(each, 'SourceReachable')?.reason === 'NoMatchingPods',
  );
  expect(status.pods).toEqual({ matched: 0, observed: 0, unreachable: 0, failing: 0 });
  expect(conditionOf(status, 'Ready')).toMatchObject({ status: 'False', reason: 'NoMatchingPods' });
  expect(await world.event('nobody', 'NoMatchingPods')).toMatchObject({ type: 'Warning', count: 1 });
  await world.runApp('nobody');
  await untilStatus('nobody', 'is ready', (each) => conditionOf(each, 'Ready')?.status === 'True');
});

it.concurrent('an app that cannot be asked is ConnectFailed while nobody listens, fires nothing, and is Recovered afterwards', async () => {
  const [port = 0] = await freePorts(1);
  const [pod] = await world.runApp('refusing');
  await world.watchApp('refusing', {
    port,
    actions: [
      webhook('/refusing'),
      { ...webhook('/refusing-negated'), name: 'not', trigger: { ...whenUnhealthy, condition: 'not_equals' } },
    ],
  });
  const failed = await world.event('refusing', 'ConnectFailed');
  expect(failed).toMatchObject({ type: 'Warning', related: { uid: pod?.metadata.uid } });
  const status = await untilStatus(
    'refusing',
    'is unreachable',
    (each) => conditionOf(each, 'SourceReachable')?.status === 'False',
  );
  expect(conditionOf(status, 'SourceReachable')).toMatchObject({ reason: 'ConnectFailed' });
  expect(status.pods).toEqual({ matched: 1, observed: 0, unreachable: 1, failing: 0 });
  expect(world.receiver.deliveries('/refusing-negated')).toEqual([]);

  const app = await startSampleApp({ port });
  try {
    expect(await world.event('refusing', 'Recovered')).toMatchObject({ type: 'Normal' });
    const well = await untilStatus(
      'refusing',
      'is reachable again',
      (each) => conditionOf(each, 'SourceReachable')?.status === 'True',
    );
    expect(well.pods).toEqual({ matched: 1, observed: 1, unreachable: 0, failing: 0 });
    await until('what is not unhealthy is told', () => world.receiver.deliveries('/refusing-negated').length === 1);
    expect(world.events('refusing', 'ConnectFailed')).toHaveLength(1);
  } finally {
    await app.close();
  }
});

it.concurrent('a URL as endpoint is polled once for the app as a whole, whatever pods there are', async () => {
  const single = await startSampleApp({ single: true, host: '127.0.0.1' });
  try {
    await world.runApp('url', 2);
    const polled = () => single.requests();
    await world.monitor('url', {
      graphqlEndpoint: `127.0.0.1:${single.port}/graphql`,
      actions: [webhook('/url', { pod: '{{pod_name}}', was: '{{old_value}}' })],
    });
    const before = polled();
    await until('three more polls', () => polled() >= before + 3);
    single.setState('127.0.0.1', { health: 'unhealthy' });
    const changed = await world.event('url', 'StateChanged', 'to unhealthy');
    expect(changed.related).toBeUndefined();
    const [told] = await until('the rule fired', () => {
      const all = world.receiver.deliveries('/url');
      return all.length > 0 && all;
    });
    expect(JSON.parse(told?.body ?? '')).toEqual({ pod: null, was: 'healthy' });
    const status = await untilStatus('url', 'shows it', (each) => JSON.stringify(each.state).includes('unhealthy'));
    expect(Object.keys(status.state ?? {})).toEqual(['url']);
    await until('three more polls', () => polled() >= before + 6);
    expect(world.receiver.deliveries('/url')).toHaveLength(1);
  } finally {
    await single.close();
  }
});

it.concurrent('a deletion is not held up by anything and ends the workflow', async () => {
  await world.runApp('leaving');
  const app = await world.monitor('leaving');
  expect(app.metadata.finalizers).toBeUndefined();
  expect(await world.workflowStatus(app)).toBe('RUNNING');
  await world.deleteApp('leaving');
  await until('it is gone', () => world.targetApp('leaving') === undefined);
  await untilEnded(app);
});

it.concurrent('a deletion during an action takes the object at once, and the workflow when the action has ended', async () => {
  const [pod] = await world.runApp('cut-short');
  const release = world.receiver.hold('/cut-short');
  const app = await world.monitor('cut-short', { actions: [webhook('/cut-short')] });
  world.says(pod, { health: 'unhealthy' });
  await until('the action is under way', () => world.receiver.deliveries('/cut-short').length === 1);
  await world.deleteApp('cut-short');
  await until('it is gone', () => world.targetApp('cut-short') === undefined);
  await until('it has seen the deletion, for it polls no more', async () => {
    const polled = world.app.requests(pod?.status?.podIP);
    await delay(3_000);
    return world.app.requests(pod?.status?.podIP) === polled;
  });
  expect(await world.workflowStatus(app)).toBe('RUNNING');
  release();
  await untilEnded(app);
  expect(world.receiver.deliveries('/cut-short')).toHaveLength(1);
  await world.event('cut-short', 'ActionSucceeded', 'tell');
});

it.concurrent('a deletion and a re-creation under the same name carry nothing over', async () => {
  const [pod] = await world.runApp('again');
  const first = await world.monitor('again', { actions: [webhook('/again')] });
  world.says(pod, { health: 'unhealthy' });
  await world.event('again', 'ActionSucceeded', 'tell');
  await world.deleteApp('again');
  const second = await world.monitor('again', { actions: [webhook('/again')] });
  expect(second.metadata.uid).not.toBe(first.metadata.uid);
  // The app is unhealthy at the second one's first sight: it is acted on, because nothing is known of the first.
  const [one, two] = await until('the second one acts', () => {
    const all = world.receiver.deliveries('/again');
    return all.length === 2 && all;
  });
  expect(one?.headers['idempotency-key']).toContain(first.metadata.uid);
  expect(two?.headers['idempotency-key']).toContain(second.metadata.uid);
  expect(world.targetApp('again')?.status?.workflow?.id).toContain(second.metadata.uid);
  await untilEnded(first);
  expect(await world.workflowStatus(second)).toBe('RUNNING');
});

it.concurrent.each(['exec_command', 'patch_resource'])(
  'an action that is switched off (%s) is refused with the Helm value that turns it on',
  async (action) => {
    const name = `off-${action.replace('_', '-')}`;
    const parameters: JsonObject =
      action === 'exec_command'
        ? { command: ['/bin/true'] }
        : { apiVersion: 'v1', kind: 'ConfigMap', name, patch: { data: { a: 'b' } } };
    const [pod] = await world.runApp(name);
    await world.monitor(name, { actions: [{ name: 'off', trigger: whenUnhealthy, action, parameters }] });
    world.says(pod, { health: 'unhealthy' });
    const refused = await world.event(name, 'ActionRefused');
    expect(refused).toMatchObject({ type: 'Warning', message: expect.stringContaining('ActionDisabled') });
    expect(refused.message).toContain(`actions.${action}.enabled=true`);
  },
);

it.concurrent('an app that takes longer to answer than a first look is given is asked again with the time that its spec grants', async () => {
  const [pod] = await world.runApp('slow');
  world.app.fault(pod?.status?.podIP ?? '', { kind: 'latency', ms: 16_000 });
  await world.watchApp('slow', { pollingInterval: 60, timeout: 25 });
  await until('its state is known', () => world.targetApp('slow')?.status?.pods?.observed === 1, {
    timeoutMs: 120_000,
    instead: () => world.targetApp('slow')?.status,
  });
});

it.concurrent('an endpoint that redirects is not followed', async () => {
  const [port = 0] = await freePorts(1);
  const elsewhere = world.receiver.url('/elsewhere');
  const server = createServer((_, response) => response.writeHead(307, { location: elsewhere }).end());
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
  try {
    await world.runApp('redirected');
    await world.watchApp('redirected', { port });
    await world.event('redirected', 'RedirectRefused');
    expect(world.receiver.deliveries('/elsewhere')).toEqual([]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
