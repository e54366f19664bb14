import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { startSampleApp } from '../../dev/sample-app/app.ts';
import type { Fault } from '../../dev/sample-app/fault.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

jest.setTimeout(90_000);

let world: RealWorld;
let operator: OperatorInside;

beforeAll(async () => {
  world = await startWorld();
  operator = await world.operate({ KCO_MAX_CONNECTION_AGE: '3' });
}, 900_000);

afterAll(() => world?.stop(), 60_000);

const ipOf = (pod: RecordedPod | undefined): string => pod?.status?.podIP ?? '';

/** Makes a pod answer in another way. */
const answers = (pod: RecordedPod | undefined, fault: Fault | undefined): void => world.app.fault(ipOf(pod), fault);

const body = (text: string): Fault => ({ kind: 'body', body: text });

/** Waits for some more polls of a pod: what has not happened by then does not. */
const somePolls = async (pod: RecordedPod | undefined, polls = 4): Promise<void> => {
  const before = world.app.requests(ipOf(pod));
  await until(`${polls} more polls of it`, () => world.app.requests(ipOf(pod)) >= before + polls, {
    timeoutMs: 40_000,
  });
};

const tells = (name: string, trigger: JsonObject, path: string): JsonObject => ({
  name,
  trigger,
  action: 'webhook',
  parameters: { url: world.receiver.url(path) },
});

const called = (path: string): number => world.receiver.deliveries(path).length;

const conditionOf = (name: string, type: string) =>
  world.targetApp(name)?.status?.conditions?.find((condition) => condition.type === type);

const untilCondition = (name: string, type: string, status: string, reason: string) =>
  until(
    `${type} of ${name} is ${status} for ${reason}`,
    () => {
      const found = conditionOf(name, type);
      return found?.status === status && found.reason === reason && found;
    },
    { instead: () => world.targetApp(name)?.status?.conditions },
  );

it('an app that answers something else than its state is failing and never unreachable; one that does not answer is restarted', async () => {
  const name = 'answering';
  const [pod] = await world.runApp(name);
  await world.monitor(name, {
    actions: [
      { name: 'restart', trigger: { condition: 'unreachable', for: '2s' }, action: 'restart_pod' },
      tells('failing', { condition: 'failing', for: '1s' }, '/failing'),
    ],
  });
  const ways: [Fault, string][] = [
    [body('{"data":null,"errors":[{"message":"no database"}]}'), 'GraphQLError'],
    [{ kind: 'status', status: 401 }, 'HTTPStatus'],
    [{ kind: 'status', status: 429, retryAfter: '2' }, 'HTTPStatus'],
    [{ kind: 'body', body: '<html></html>', contentType: 'text/html' }, 'NotJSON'],
  ];
  for (const [fault, reason] of ways) {
    answers(pod, fault);
    await untilCondition(name, 'SourceHealthy', 'False', reason);
    await somePolls(pod, 3);
    expect(conditionOf(name, 'SourceReachable')).toMatchObject({ status: 'True', reason: 'Answering' });
    expect(world.targetApp(name)?.status?.pods).toMatchObject({ observed: 0, unreachable: 0, failing: 1 });
  }
  expect(called('/failing')).toBe(1);
  expect(world.events(name, 'HTTPStatus').map(({ message }) => /answered \d+/.exec(message)?.[0])).toEqual(
    expect.arrayContaining(['answered 401', 'answered 429']),
  );
  expect(await world.deletedPods(name, 0)).toEqual([]);

  answers(pod, { kind: 'status', status: 503 });
  await untilCondition(name, 'SourceReachable', 'False', 'HTTPStatus');
  expect(await world.deletedPods(name, 1)).toEqual([pod?.metadata.name]);
  answers(pod, undefined);
});

it('nobody to ask is a condition of its own: scaled to nothing, or never running', async () => {
  const name = 'deserted';
  const [pod] = await world.runApp(name);
  await world.monitor(name, {
    actions: [
      tells('nobody', { condition: 'noPods', for: '1s' }, '/nobody'),
      tells('silent', { condition: 'unreachable', pods: 'any' }, '/nobody-silent'),
    ],
  });
  await somePolls(pod);
  expect(called('/nobody')).toBe(0);
  await world.runApp(name, 0);
  await until('it is told that nobody is there', () => called('/nobody') === 1);
  const [next] = await world.runApp(name, 1);
  await somePolls(next);
  await world.runApp(name, 0);
  await until('it is told again', () => called('/nobody') === 2);
  expect(called('/nobody-silent')).toBe(0);
});

it('a number that cannot be compared hides its own field and no other', async () => {
  const name = 'large-numbers';
  const [pod] = await world.runApp(name);
  await world.monitor(name, {
    stateQuery: '{ application { health uptimeNanos } }',
    actions: [
      tells('sick', whenUnhealthy, '/large-sick'),
      tells('silent', { condition: 'unreachable' }, '/large-silent'),
      tells('long', { field: 'application.uptimeNanos', condition: 'greater_than', value: 5 }, '/large-long'),
    ],
  });
  const says = (health: string) =>
    answers(pod, body(`{"data":{"application":{"health":"${health}","uptimeNanos":9007199254740993}}}`));
  says('healthy');
  await untilCondition(name, 'RulesDecidable', 'False', 'FieldUnknown');
  expect(conditionOf(name, 'SourceHealthy')).toMatchObject({ status: 'True', reason: 'PartlyKnown' });
  says('unhealthy');
  await until('the sick one is told of', () => called('/large-sick') === 1);
  await somePolls(pod);
  expect([called('/large-silent'), called('/large-long')]).toEqual([0, 0]);
  answers(pod, body('{"data":{"application":{"health":"healthy","uptimeNanos":6}}}'));
  await until('the number is compared', () => called('/large-long') === 1);
  await untilCondition(name, 'RulesDecidable', 'True', 'AllDecidable');
});

it('a number that comes as text is named as long as it cannot be compared, and is compared when the rule says so', async () => {
  const name = 'text-numbers';
  const [pod] = await world.runApp(name);
  const rule = (as: JsonObject): JsonObject => ({
    stateQuery: '{ application { height } }',
    actions: [tells('high', { field: 'application.height', condition: 'greater_than', value: 5, ...as }, '/text-high')],
  });
  answers(pod, body('{"data":{"application":{"height":"359606"}}}'));
  await world.monitor(name, rule({}));
  await untilCondition(name, 'RulesDecidable', 'False', 'TriggerTypeMismatch');
  await somePolls(pod);
  expect(world.targetApp(name)?.status?.rules).toMatchObject([
    { undecided: { reason: 'TriggerTypeMismatch', message: expect.stringContaining('add as: number') } },
  ]);
  expect(called('/text-high')).toBe(0);
  await world.monitor(name, rule({ as: 'number' }));
  await until('it is told', () => called('/text-high') === 1);
  await untilCondition(name, 'RulesDecidable', 'True', 'AllDecidable');
});

it('the annotation of the default container says whose port is polled', async () => {
  const name = 'injected';
  const proxy = await startSampleApp();
  const containers = [
    { name: 'proxy', image: 'proxy', ports: [{ containerPort: proxy.port }] },
    { name: 'app', image: 'sample-app', ports: [{ containerPort: world.app.port }] },
  ];
  const labels = { app: name };
  const annotations = { 'kubectl.kubernetes.io/default-container': 'app' };
  await world.apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'default', name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels, annotations }, spec: { containers } },
    },
  });
  const [pod] = await world.pods(name);
  await world.monitor(name);
  await somePolls(pod);
  expect(proxy.requests()).toBe(0);
  expect(conditionOf(name, 'Ready')).toMatchObject({ status: 'True' });
  await proxy.close();
});

it('connections age: an app behind a forwarder that sends new connections elsewhere is followed', async () => {
  const name = 'forwarded';
  const [old, next] = await Promise.all([startSampleApp({ single: true }), startSampleApp({ single: true })]);
  let target = old.port;
  const forwarder = createServer((socket) => {
    const other = connect(target, '127.0.0.1');
    for (const end of [socket, other]) end.on('error', () => undefined);
    socket.pipe(other).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(forwarder, 'listening');
  const { port } = forwarder.address() as AddressInfo;
  await world.monitor(name, { graphqlEndpoint: `http://127.0.0.1:${port}/graphql` });
  await until('the old one is polled', () => old.requests() >= 2);
  target = next.port;
  await until('the new one is polled', () => next.requests() >= 2);
  const before = old.requests();
  const polled = next.requests();
  await until('it is polled again', () => next.requests() >= polled + 3);
  expect(old.requests()).toBe(before);
  await world.deleteApp(name);
  forwarder.close();
  await Promise.all([old.close(), next.close()]);
});

it('many TargetApps behind one host: who is held back is told so, and is neither late nor unreachable', async () => {
  await operator.stop();
  const gateway = await startSampleApp({ single: true });
  operator = await world.operate({ KCO_MAX_REQUESTS_PER_HOST: '2' });
  const names = Array.from({ length: 8 }, (_, n) => `behind-gateway-${n}`);
  const graphqlEndpoint = `http://127.0.0.1:${gateway.port}/graphql`;
  const actions = [tells('silent', { condition: 'unreachable' }, '/gateway-silent')];
  for (const name of names) await world.watchApp(name, { graphqlEndpoint, actions });
  const told = () => names.filter((name) => world.events(name, 'Throttled').length > 0);
  await until('some are told that they were held back', () => told().length >= 2);
  const polled = gateway.requests();
  await until('the gateway is asked again and again', () => gateway.requests() >= polled + 10);
  expect(names.flatMap((name) => [...world.events(name, 'Timeout'), ...world.events(name, 'TriggerFired')])).toEqual(
    [],
  );
  expect(called('/gateway-silent')).toBe(0);
  const unreachable = names.map((name) => world.targetApp(name)?.status?.pods?.unreachable ?? 0);
  expect(unreachable.filter((count) => count > 0)).toEqual([]);
  for (const name of names) await world.deleteApp(name);
  await gateway.close();
});
