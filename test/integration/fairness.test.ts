import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fault } from '../../dev/sample-app/fault.ts';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

/** Fewer than there are sick apps, half of them for one namespace: whatever hangs in them leaves nobody a place. */
const places = 8;
const half = 10;
const namesOf = (kind: string): string[] => Array.from({ length: half }, (_, n) => `${kind}-${n}`);
const [healthy, sick] = [namesOf('healthy'), namesOf('sick')];

let world: RealWorld;
const pods = new Map<string, RecordedPod>();

/** Calls `/<app>` when the app is unhealthy, and again at each time after it was well. */
const calling = (name: string) => [
  { name: 'call', trigger: whenUnhealthy, action: 'webhook', parameters: { url: world.receiver.url(`/${name}`) } },
];

beforeAll(async () => {
  world = await startWorld({ KCO_POLLS_PER_TURN: '0', KCO_MAX_CONCURRENT_ACTIVITIES: String(places) });
  const operator = await world.spawnOperator();
  await operator.ready();
  await Promise.all(
    [...healthy, ...sick].map(async (name) => {
      const [pod] = await world.runApp(name);
      if (pod !== undefined) pods.set(name, pod);
      await world.monitor(
        name,
        healthy.includes(name) ? { actions: calling(name) } : { pollingInterval: 5, timeout: 5 },
      );
    }),
  );
}, 900_000);
afterAll(() => world?.stop());

const addressOf = (name: string): string => pods.get(name)?.status?.podIP ?? '';
const polls = (name: string): number => world.app.requests(addressOf(name));

/**
 * By how many milliseconds the polls of the healthy apps were late, at most and all five of one app together: each is due every
 * second. Milliseconds as on a machine with nothing else on it.
 */
async function lateMs(): Promise<number> {
  const before = new Map(healthy.map((name) => [name, polls(name)]));
  const [since, began] = [startStopwatch(), performance.now()];
  const left = () => healthy.filter((name) => polls(name) < (before.get(name) ?? 0) + 5);
  await until('every healthy app is polled five times', () => left().length === 0, { instead: left });
  const passedMs = performance.now() - began;
  return (passedMs - 5_000) * (since.stop() / passedMs);
}

/** Milliseconds from when the healthy apps say that they are ill until each has made somebody call. */
async function actionsMs(): Promise<number> {
  const called = (name: string) => world.receiver.deliveries(`/${name}`).length;
  const before = new Map(healthy.map((name) => [name, called(name)]));
  const left = () => healthy.filter((name) => called(name) === before.get(name));
  const since = startStopwatch();
  for (const name of healthy) world.says(pods.get(name), { health: 'unhealthy' });
  await until('every healthy app is acted on', () => left().length === 0, { instead: left });
  const tookMs = since.stop();
  for (const name of healthy) world.says(pods.get(name), { health: 'healthy' });
  await until('all are well again', () =>
    healthy.every((name) => JSON.stringify(world.targetApp(name)?.status?.['state'] ?? '').includes('"healthy"')),
  );
  return tookMs;
}

const ailments: Fault[] = [
  { kind: 'hang' },
  { kind: 'drip', everyMs: 200 },
  { kind: 'flood', bytes: 16 * 1024 * 1024 },
];

describe('half of the apps', () => {
  let actionsBeforeMs: number;
  beforeAll(async () => {
    actionsBeforeMs = await actionsMs();
  });
  afterEach(() => {
    for (const name of sick) world.app.fault(addressOf(name), undefined);
  });

  it.each<[string, Fault[]]>([
    ['hang', ailments.slice(0, 1)],
    ['hang, drip or flood', ailments],
  ])('%s: the others are polled on time, and their actions come at most a second later', async (_, faults) => {
    const before = new Map(sick.map((name) => [name, polls(name)]));
    for (const [n, name] of sick.entries()) world.app.fault(addressOf(name), faults[n % faults.length]);
    await until('all of them are asked', () => sick.every((name) => polls(name) > (before.get(name) ?? 0)));
    const late = await lateMs();
    const tookMs = await actionsMs();
    expect(late).toBeLessThanOrEqual(1_000);
    // The poll that sees it is due within a second, and was so before.
    expect(tookMs).toBeLessThanOrEqual(Math.max(1_000, actionsBeforeMs) + 1_000);
  });
});

describe('a receiver that accepts and never answers', () => {
  it('called by 110 webhooks makes nobody’s poll late by more than a second', async () => {
    const paths = sick.map((name) => Array.from({ length: 11 }, (_, n) => `/silent-${name}-${n}`));
    const releases = paths.flat().map((path) => world.receiver.hold(path));
    await Promise.all(
      sick.map((name, n) =>
        world.monitor(name, {
          actions: (paths[n] ?? []).map((path) => ({
            trigger: whenUnhealthy,
            action: 'webhook',
            parameters: { url: world.receiver.url(path), timeout: 60 },
          })),
        }),
      ),
    );
    for (const name of sick) world.says(pods.get(name), { health: 'unhealthy' });
    const called = () => paths.flat().filter((path) => world.receiver.deliveries(path).length > 0).length;
    await until('as many are called as one receiver gets at once', () => called() >= 10, { instead: called });
    const late = await lateMs();
    expect(late).toBeLessThanOrEqual(1_000);
    for (const release of releases) release();
  });
});
