import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../dev/sample-app/fault.ts';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { bytesOf } from '../support/polls-in-history.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedApp } from '../support/recorder.ts';
import { until } from '../support/until.ts';
import { receiverWords } from '../support/webhook-receiver.ts';
import { createWrites } from '../support/writes.ts';

let world: RealWorld;
let operator: OperatorInside;
let writes: () => Promise<Record<string, number>>;

beforeAll(async () => {
  world = await startWorld();
  writes = createWrites(world.servers);
  operator = await world.operate();
}, 900_000);

afterAll(() => world?.stop());

describe('a quiet TargetApp', () => {
  it('writes nothing, neither to the API server nor into its history, however often it is polled', async () => {
    const names = ['quiet-1', 'quiet-2', 'quiet-3', 'quiet-4', 'quiet-5'];
    const pods = await Promise.all(names.map((name) => world.runApp(name)));
    const apps = await Promise.all(names.map((name) => world.monitor(name)));
    const polls = () => pods.map(([pod]) => world.app.requests(pod?.status?.podIP));
    const polledMore = async (times: number) => {
      const before = polls();
      await until(`each was polled ${times} times more`, () =>
        polls().every((now, i) => now >= (before[i] ?? 0) + times),
      );
    };
    const written = async () => [
      await writes(),
      ...(await Promise.all(apps.map(async (app) => (await world.historyEvents(app)).length))),
    ];
    const before = await until('nothing is written while each is polled once more', async () => {
      const then = await written();
      await polledMore(1);
      return isDeepStrictEqual(await written(), then) && then;
    });
    await polledMore(12);
    expect(await written()).toEqual(before);
    for (const name of names) expect(world.events(name).map(({ reason }) => reason)).toEqual(['MonitoringStarted']);
  });
});

describe('what is written down', () => {
  const canary = (what: string) => `canary-${what}-9f27c1`;

  /** Everything that KCO has written about a TargetApp, for whoever may read it. */
  async function writtenAbout(app: RecordedApp): Promise<string> {
    const { name } = app.metadata;
    const events = world.events(name).map(({ reason, message }) => `${reason}: ${message}`);
    const { status } = world.targetApp(name) ?? {};
    return [
      await world.history(app),
      ...operator.lines,
      ...events,
      JSON.stringify(status),
      await operator.metrics(),
    ].join('\n');
  }

  it.concurrent('headers, payloads, path and query of a webhook, and what its receiver answers, stand in no history, log, Event, status or metric', async () => {
    const [pod] = await world.runApp('secretive');
    const secretive = (what: string) => `/${what}/${canary('path')}/hook?token=${canary('query')}`;
    const path = secretive('refused');
    world.receiver.answer(path, 503, 403);
    const parameters = {
      headers: { Authorization: `Bearer ${canary('header')}`, 'X-Key': canary('key') },
      payload: { text: canary('payload') },
    };
    const telling = (name: string, url: string, more = {}, delivery = {}) => ({
      name,
      trigger: whenUnhealthy,
      action: 'webhook',
      parameters: { ...parameters, url, ...delivery },
      ...more,
    });
    const app = await world.monitor('secretive', {
      stateQuery: 'query AppState($yes: Boolean!) { application { health status @include(if: $yes) } }',
      variables: { yes: true },
      actions: [
        telling('refused', world.receiver.url(path)),
        telling('taken', world.receiver.url(secretive('taken'))),
        telling('unreachable', `http://127.0.0.1:9${secretive('unreachable')}`, {}, { deliverFor: '1s' }),
        telling('pretended', world.receiver.url(secretive('pretended')), { dryRun: true }),
      ],
    });
    world.says(pod, { health: 'unhealthy' });
    await world.event('secretive', 'ActionFailed', '403');
    await world.event('secretive', 'ActionFailed', 'connection refused');
    await world.event('secretive', 'ActionSucceeded', 'taken');
    await world.event('secretive', 'ActionDryRun', 'pretended');
    expect(world.receiver.deliveries(secretive('taken'))).toHaveLength(1);
    const deliveries = world.receiver.deliveries(path);
    expect(deliveries.map(({ headers }) => headers['x-key'])).toEqual([canary('key'), canary('key')]);
    expect(deliveries[0]?.body).toContain(canary('payload'));
    const written = await writtenAbout(app);
    expect(found(written, 'TriggerFired', 'ActionFailed')).toEqual(['TriggerFired', 'ActionFailed']);
    expect(found(written, ...['path', 'query', 'header', 'key', 'payload'].map(canary), receiverWords)).toEqual([]);
  });

  /** Those of the words that stand in a text; not the text, which is long. */
  const found = (text: string, ...words: string[]): string[] => words.filter((word) => text.includes(word));

  const filler = 'x'.repeat(100_000);
  const hostile: [string, string, Fault][] = [
    [
      'an error page',
      'HTTPStatus',
      { kind: 'body', status: 500, contentType: 'text/html', body: `<html>${canary('page')}</html>` },
    ],
    ['text that is no JSON', 'InvalidJSON', { kind: 'body', body: `{"data": ${canary('text')}` }],
    [
      'a state that is too large',
      'TooLarge',
      { kind: 'body', body: JSON.stringify({ data: { application: { health: canary('large') + filler } } }) },
    ],
    ['a flood', 'TooLarge', { kind: 'flood', bytes: 4 * 1024 * 1024 }],
  ];

  it.concurrent.each(hostile)(
    '%s is told as %s, and nothing of it stands in a history, log, Event, status or metric',
    async (what, reason, fault) => {
      const name = `hostile-${hostile.findIndex(([each]) => each === what)}`;
      const [pod] = await world.runApp(name);
      const ip = pod?.status?.podIP ?? '';
      const app = await world.monitor(name);
      world.app.fault(ip, fault);
      await world.event(name, reason);
      const polled = world.app.requests(ip);
      await until('four more polls', () => world.app.requests(ip) >= polled + 4);
      const written = await writtenAbout(app);
      for (const each of ['page', 'text', 'large']) expect(written).not.toContain(canary(each));
      expect(written).not.toContain('xxxxxxxxxx');
      expect(bytesOf(await world.historyEvents(app))).toBeLessThan(40_000);
      world.app.fault(ip, undefined);
      await world.event(name, 'Recovered');
    },
  );

  it.concurrent('what an app answers beyond the fields that were asked for stands in no history', async () => {
    const [pod] = await world.runApp('talkative');
    const ip = pod?.status?.podIP ?? '';
    const app = await world.monitor('talkative');
    const application = { status: 'running', health: 'unhealthy', pendingTasks: 0, lastError: null };
    const data = { application: { ...application, password: canary('field') }, more: canary('top') };
    world.app.fault(ip, { kind: 'body', body: JSON.stringify({ data, extensions: { trace: canary('extension') } }) });
    await world.event('talkative', 'StateChanged', 'from healthy to unhealthy');
    const written = await writtenAbout(app);
    expect(found(written, ...['extension', 'field', 'top'].map(canary))).toEqual([]);
  });
});
