import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SampleApp, startSampleApp } from '../../../dev/sample-app/app.ts';
import { HeldTurns } from '../../../src/activities/held-turns.ts';
import { DuePolls } from '../../../src/activities/target-app/due-polls.ts';
import type { SubscriptionTarget } from '../../../src/activities/target-app/subscription-targets.ts';
import { Subscriptions, type SubscriptionsOptions } from '../../../src/activities/target-app/subscriptions.ts';
import { createTurns, type Turns } from '../../../src/activities/target-app/turns.ts';
import { Wheel } from '../../../src/activities/target-app/wheel.ts';
import { createSubscriber, type SubscriptionProtocol } from '../../../src/clients/graphql/subscription/subscriber.ts';
import type { Observation, ObserveInput } from '../../../src/domain/target-app/observation.ts';
import { planned, spec } from '../../support/target-app-manifest.ts';
import { until } from '../../support/until.ts';

const protocols: SubscriptionProtocol[] = ['graphql-transport-ws', 'graphql-sse'];
const document = 'subscription { application { health } }';
const uid = 'u';
const app = { namespace: 'default', name: 'my-app', uid };
const plan = planned(spec({ pollingInterval: 3_600, stateSubscription: { query: document } }), 1, { turnMs: 1 });

/** Shorter than in earnest, as all times here. */
const betweenPollsMs = 200;
/** After so long no message makes a poll any more. */
const quietMs = 2 * betweenPollsMs;

/** The turns of one TargetApp that is polled every hour, and what they have told. */
interface Bench {
  turns: Turns;
  polls: number;
  told: Observation[];
  /** What the next polls see. */
  seen: Observation;
  /** Whom to listen to. */
  targets: SubscriptionTarget[];
  /** Makes polls wait. */
  hold?: Promise<void>;
  begin(input?: Partial<ObserveInput> & { stopped?: true }): void;
  owned: boolean;
  close(): void;
}

const targetAt = (
  url: string,
  protocol: SubscriptionProtocol = 'graphql-sse',
  query = document,
): SubscriptionTarget => ({
  key: `${url} ${protocol} ${query}`,
  subject: 'uid-a',
  pod: 'a',
  request: { protocol, url, document: query, deadlineMs: 2_000 },
});

const benches: Bench[] = [];
function bench(targets: SubscriptionTarget[], options: Partial<SubscriptionsOptions> = {}): Bench {
  const quick = { again: { firstMs: 20, longestMs: 50 }, steadyMs: 50, betweenPollsMs, maxSubscriptions: 10 };
  const subscriptions = new Subscriptions({ subscriber: createSubscriber(), ...quick, ...options });
  const observe = async (input: ObserveInput): Promise<Observation> => {
    its.polls += 1;
    if (its.seen.unasked === undefined) subscriptions.aim(input.app.uid, its.targets);
    const { seen } = its;
    await its.hold;
    return seen;
  };
  const turns = createTurns({
    observe,
    subscriptions,
    apps: {
      find: async () => ({ metadata: { ...app, generation: 1 }, spec: {}, mirror: [] }),
      effectiveSpec: () => ({ generation: 1, plan }),
    },
    wheel: new Wheel(),
    changed: new Set(),
    places: (_, work) => work(),
    openTurns: { complete: async (_, told) => its.told.push(told as Observation) > 0, release: async () => true },
    heldTurns: new HeldTurns(),
    ownership: { owns: () => its.owned, takesPart: () => its.owned },
    instance: 'kco-0',
    duePolls: new DuePolls(),
    tell: () => ({ isGivenUp: false, end: async () => ({}) }),
    log: { warning: () => undefined },
  });
  const its: Bench = {
    ...{ turns, targets, polls: 0, told: [], seen: { matched: 1 }, owned: true },
    begin: ({ stopped, ...input } = {}) =>
      turns.hold(
        {
          ...{ app, due: Date.now(), known: {}, plan: plan.digest, subscription: 'kept' as const },
          ...input,
          turn: { seen: { matched: 1 }, lengthMs: 3_600_000, ...(stopped && { stopped }) },
        },
        new Uint8Array(),
      ),
    close: () => {
      its.owned = false;
      void turns.letGo(true);
    },
  };
  benches.push(its);
  return its;
}

const servers: SampleApp[] = [];
async function sampleApp(port?: number): Promise<SampleApp> {
  const server = await startSampleApp({ port });
  servers.push(server);
  return server;
}
async function close(server: SampleApp): Promise<void> {
  servers.splice(servers.indexOf(server), 1);
  await server.close();
}
afterEach(async () => {
  for (const each of benches.splice(0)) each.close();
  for (const server of [...servers]) await close(server);
});

/** Waits until the subscription is open, and the polls that come with that are over. */
async function open(its: Bench, server: SampleApp): Promise<number> {
  await until('the subscription is open', () => server.subscriptions.open() === 1);
  const before = its.polls;
  await delay(quietMs);
  expect(its.polls - before).toBeLessThanOrEqual(2);
  return its.polls;
}

const elapsed = async (what: () => Promise<unknown>): Promise<number> => {
  const since = performance.now();
  await what();
  return performance.now() - since;
};

describe.each(protocols)('a TargetApp that is polled every hour and subscribed to over %s', (protocol) => {
  it('is polled within a second of a message', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url(), protocol)]);
    its.begin();
    const before = await open(its, server);
    server.setState('127.0.0.1', { health: 'unhealthy' });
    expect(await elapsed(() => until('it is polled', () => its.polls > before))).toBeLessThan(1_000);
    expect(its.polls).toBe(before + 1);
  });

  it('is polled when the server is back, and then by its messages again', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url(), protocol)]);
    its.begin();
    const before = await open(its, server);
    await close(server);
    const again = await sampleApp(server.port);
    await until('it is polled', () => its.polls > before);
    const back = await open(its, again);
    again.setState('127.0.0.1', { health: 'unhealthy' });
    await until('it is polled by a message', () => its.polls > back);
  });

  it('is not subscribed to anew by its next turn, and misses nothing between two', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url(), protocol)]);
    its.begin();
    await open(its, server);
    for (let turn = 1; turn <= 3; turn++) {
      its.seen = { matched: 2 };
      server.setState('127.0.0.1', { health: `turn ${turn}` });
      await until('the turn is over', () => its.told.length === turn);
      const before = its.polls;
      its.seen = { matched: 1 };
      server.setState('127.0.0.1', { health: `between ${turn}` });
      await delay(50);
      its.begin();
      await until('what was said between the turns is looked at', () => its.polls > before);
    }
    expect(server.subscriptions.begun()).toBe(1);
  });

  it.each([
    [
      'it is suspended',
      (its: Bench, server: SampleApp) => {
        its.seen = { matched: 1, unasked: 'stopped' };
        server.setState('127.0.0.1', { health: 'x' });
      },
    ],
    ['its turn belongs elsewhere', (its: Bench) => its.close()],
    [
      'no turn comes again',
      (its: Bench, server: SampleApp) => {
        its.seen = { matched: 2 };
        server.setState('127.0.0.1', { health: 'x' });
      },
    ],
    [
      'its pod is gone',
      (its: Bench, server: SampleApp) => {
        its.targets = [];
        server.setState('127.0.0.1', { health: 'x' });
      },
    ],
  ])('is not subscribed to any more when %s', async (_, happen) => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url(), protocol)], { lingerMs: 100 });
    its.begin();
    await open(its, server);
    happen(its, server);
    await until('the subscription is closed', () => server.subscriptions.open() === 0);
    await delay(300);
    expect([server.subscriptions.open(), server.subscriptions.begun()]).toEqual([0, 1]);
  });
});

describe('a flood of messages', () => {
  it('makes only so many polls', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url())]);
    its.begin();
    const before = await open(its, server);
    const since = performance.now();
    for (let round = 0; performance.now() - since < 10 * betweenPollsMs; round++) {
      server.setState('127.0.0.1', { pendingTasks: round });
      await delay(5);
    }
    await delay(quietMs);
    expect(its.polls - before).toBeGreaterThanOrEqual(5);
    expect(its.polls - before).toBeLessThanOrEqual(12);
  });

  it('during a poll makes one more, after it', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url())]);
    its.begin();
    const before = await open(its, server);
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    its.hold = promise;
    server.setState('127.0.0.1', { pendingTasks: 1 });
    await until('the poll is under way', () => its.polls === before + 1);
    for (let round = 0; round < 10; round++) server.setState('127.0.0.1', { pendingTasks: round });
    await delay(quietMs);
    expect(its.polls).toBe(before + 1);
    goOn();
    await until('it is polled once more', () => its.polls === before + 2);
    await delay(quietMs);
    expect(its.polls).toBe(before + 2);
  });
});

describe('how a subscription fares', () => {
  const refusal = {
    failure: { class: 'HTTPStatus', message: expect.stringMatching(/answered 400: .*"mood".* on pod a$/) },
  };

  it('is told once it has lasted for a while', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url())]);
    its.begin({ subscription: undefined });
    await until('it is told', () => its.told.length > 0);
    expect(its.told).toEqual([{ matched: 1, subscription: {}, by: 'kco-0' }]);
    its.begin({ subscription: 'kept' });
    await open(its, server);
    expect(its.told).toHaveLength(1);
  });

  it('is told at once when it is refused, and not again, however often it is tried', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url(), 'graphql-sse', 'subscription { mood }')]);
    its.begin({ subscription: undefined });
    await until('it is told', () => its.told.length > 0);
    expect(its.told).toMatchObject([{ matched: 1, subscription: refusal }]);
    its.begin({ subscription: 'failed' });
    await delay(500);
    expect(its.told).toHaveLength(1);
  });

  it('is told again when it works after all', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url())]);
    its.begin({ subscription: 'failed' });
    await until('it is told', () => its.told.length > 0);
    expect(its.told).toEqual([{ matched: 1, subscription: {}, by: 'kco-0' }]);
  });

  it('is told when nobody listens there while polls are answered, after some attempts; not while these fail as well', async () => {
    const nobody = await sampleApp();
    await close(nobody);
    const its = bench([targetAt(nobody.url())]);
    its.begin({ subscription: undefined });
    await until('it is told', () => its.told.length > 0);
    expect(its.told).toMatchObject([{ subscription: { failure: { class: 'ConnectFailed' } } }]);
    const other = bench([targetAt(nobody.url())]);
    other.begin({ subscription: undefined, known: { 'uid-a': '!ConnectFailed' } });
    await until('it was tried', () => other.polls >= 2);
    await delay(500);
    expect(other.told).toEqual([]);
  });

  it('is told of a server that takes the connection and never answers', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await until('it listens', () => silent.listening);
    const { port } = silent.address() as { port: number };
    for (const protocol of protocols) {
      const target = targetAt(`http://127.0.0.1:${port}/`, protocol);
      const its = bench([{ ...target, request: { ...target.request, deadlineMs: 50 } }]);
      its.begin({ subscription: undefined });
      await until('it is told', () => its.told.length > 0);
      expect(its.told).toMatchObject([{ subscription: { failure: { class: 'Timeout' } } }]);
      its.close();
    }
    silent.close();
  });

  it('says which setting keeps it from being tried at all', async () => {
    const server = await sampleApp();
    const its = bench([targetAt(server.url())], { maxSubscriptions: 0 });
    its.begin({ subscription: undefined });
    await until('it is told', () => its.told.length > 0);
    const failure = { class: 'Throttled', message: expect.stringContaining('KCO_MAX_SUBSCRIPTIONS') };
    expect(its.told).toMatchObject([{ subscription: { failure } }]);
    expect(server.subscriptions.begun()).toBe(0);
  });
});
