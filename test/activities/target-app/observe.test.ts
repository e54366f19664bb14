import { beforeEach, describe, expect, it } from '@jest/globals';
import { createObjectFinder } from '../../../src/activities/object-finder.ts';
import { createMissingPods } from '../../../src/activities/target-app/missing-pods.ts';
import { createObserve, type Observe } from '../../../src/activities/target-app/observe.ts';
import type { PodView } from '../../../src/activities/target-app/pod-view.ts';
import { createTargetAppReader, type TargetAppReader } from '../../../src/activities/target-app/reader.ts';
import { type WatchedApp, watchedApp } from '../../../src/activities/target-app/watched-app.ts';
import { kinds } from '../../../src/api/kinds.ts';
import { refOf } from '../../../src/api/resource-ref.ts';
import type { Graphql, GraphqlRequest, GraphqlResult } from '../../../src/clients/graphql/client.ts';
import { type Kube, KubeError, type KubeObject, type ListOptions } from '../../../src/clients/kubernetes/client.ts';
import { failureKey, failureOf } from '../../../src/domain/failure.ts';
import { isSelected } from '../../../src/domain/selector.ts';
import type { ObserveInput } from '../../../src/domain/target-app/observation.ts';
import { defaults } from '../../support/target-app-manifest.ts';

const silent = { debug() {}, info() {}, warning() {}, error() {}, with: () => silent };
const ref = { namespace: 'shop', name: 'cart', uid: 'app-1' };

const pod = (n: number, fields: Partial<PodView> = {}): PodView => ({
  uid: `uid-${n}`,
  name: `cart-${n}`,
  namespace: 'shop',
  labels: { app: 'cart' },
  phase: 'Running',
  ip: `10.0.0.${n}`,
  ports: [{ name: 'http', port: 8080 }],
  defaultPort: 8080,
  terminating: false,
  ...fields,
});

/** What the fakes around the observing activity hold. */
const world = {
  app: undefined as WatchedApp | undefined,
  stored: undefined as KubeObject | undefined,
  /** Those that are watched; empty: all. */
  namespaces: [] as string[],
  /** The pods that the API server has, or why it does not say. */
  listed: [] as KubeObject[] | Error,
  lists: [] as ListOptions[],
  pods: [] as PodView[],
  synced: true,
  stalenessMs: 0,
  trouble: undefined as string | undefined,
  answers: new Map<string, GraphqlResult>(),
  asked: [] as GraphqlRequest[],
  gets: 0,
  polled: [] as string[],
};

const says = (health: string): GraphqlResult => ({ ok: true, data: { application: { health } }, unknown: [] });

const appWith = (spec: object = {}, generation = 1): WatchedApp => ({
  metadata: { ...ref, generation },
  spec: {
    selector: { matchLabels: { app: 'cart' } },
    graphqlEndpoint: '/graphql',
    stateQuery: '{ application { health } }',
    ...spec,
  },
  mirror: [],
});

let apps: TargetAppReader;
let observe: Observe;
beforeEach(() => {
  Object.assign(world, {
    app: appWith(),
    stored: undefined,
    namespaces: [],
    listed: [],
    lists: [],
    pods: [pod(1), pod(2)],
    synced: true,
    stalenessMs: 0,
    trouble: undefined,
    asked: [],
    gets: 0,
    polled: [],
  });
  world.answers = new Map([
    ['10.0.0.1', says('healthy')],
    ['10.0.0.2', says('healthy')],
  ]);
  const graphql: Graphql = {
    query: async (request) => {
      world.asked.push(request);
      return world.answers.get(new URL(request.url).hostname) ?? says('healthy');
    },
  };
  const get = async () => {
    world.gets += 1;
    return world.stored;
  };
  const list = async (_: unknown, options: ListOptions) => {
    world.lists.push(options);
    if (world.listed instanceof Error) throw world.listed;
    return { items: world.listed, metadata: { resourceVersion: '9' } };
  };
  apps = createTargetAppReader({
    finder: createObjectFinder({
      cache: { get: () => world.app },
      kube: { get: get as Kube['get'] },
      ref: refOf(kinds.TargetApp),
      transform: watchedApp,
      namespaces: world.namespaces,
    }),
    defaults,
  });
  observe = createObserve({
    apps,
    pods: {
      find: (_, uid) => world.pods.find((each) => each.uid === uid),
      selected: (_, selector) => world.pods.filter(({ labels }) => isSelected(selector, labels)),
      scopes: () => [{ hasSynced: world.synced, stalenessMs: world.stalenessMs, trouble: world.trouble }],
      hasSynced: () => world.synced,
    },
    unwatched: createMissingPods({ list: list as unknown as Kube['list'] }),
    graphql,
    subscriptions: { aim: () => undefined },
    metrics: { polled: ({ result }) => void world.polled.push(result) },
    log: silent,
    limits: { maxStateBytes: 1_000 },
  });
});

const signal = new AbortController().signal;
const look = (input: Partial<ObserveInput> = {}, limitMs = 15_000) =>
  observe({ app: ref, due: Date.now(), known: {}, ...input }, signal, limitMs);

/** What a workflow would tell at its next poll after this one. */
const afterwards = (told: Awaited<ReturnType<Observe>>): Partial<ObserveInput> => ({
  plan: told.plan?.digest,
  known: Object.fromEntries(
    (told.readings ?? []).map((reading) => [
      reading.subject,
      reading.failure ? `!${failureKey(reading.failure)}` : (reading.hash ?? ''),
    ]),
  ),
});

describe('a poll', () => {
  it('tells a newcomer the plan and the state of every running pod', async () => {
    const told = await look();
    expect(told).toMatchObject({ matched: 2, plan: { generation: 1 } });
    expect(told.readings).toEqual([
      { subject: 'uid-1', name: 'cart-1', hash: expect.any(String), state: { application: { health: 'healthy' } } },
      { subject: 'uid-2', name: 'cart-2', hash: expect.any(String), state: { application: { health: 'healthy' } } },
    ]);
    expect(world.asked.map(({ url }) => url)).toEqual(['http://10.0.0.1:8080/graphql', 'http://10.0.0.2:8080/graphql']);
  });

  it('tells nothing but a number when nothing has changed', async () => {
    const first = await look();
    expect(await look(afterwards(first))).toEqual({ matched: 2 });
    expect(world.polled).toEqual(['changed', 'unchanged']);
  });

  it('tells only the pod that changed', async () => {
    const first = await look();
    world.answers.set('10.0.0.2', says('unhealthy'));
    const told = await look(afterwards(first));
    expect(told.readings?.map(({ subject, state }) => ({ subject, state }))).toEqual([
      { subject: 'uid-2', state: { application: { health: 'unhealthy' } } },
    ]);
  });

  it('tells a failure once, and the recovery without the state that is known', async () => {
    const first = await look();
    const known = afterwards(first);
    const failure = failureOf('ConnectFailed', 'refused', { about: 'ECONNREFUSED' });
    world.answers.set('10.0.0.1', { ok: false, failure });
    const failed = await look(known);
    expect(failed.readings).toEqual([{ subject: 'uid-1', name: 'cart-1', failure }]);
    const still = { ...known, known: { ...known.known, 'uid-1': `${known.known?.['uid-1']}!${failureKey(failure)}` } };
    expect(await look(still)).toEqual({ matched: 2 });
    world.answers.set('10.0.0.1', says('healthy'));
    expect((await look(still)).readings).toEqual([{ subject: 'uid-1', name: 'cart-1', hash: known.known?.['uid-1'] }]);
  });

  it.each([
    ['a pod that is not running yet', { phase: 'Pending' }, 2],
    ['a pod without an address', { ip: undefined }, 2],
    ['a pod on its way out', { terminating: true }, 1],
    ['a finished pod', { phase: 'Succeeded' }, 1],
    ['a pod of another app', { labels: { app: 'pay' } }, 1],
  ])('does not ask %s', async (_, fields, matched) => {
    world.pods = [pod(1), pod(2, fields)];
    const told = await look();
    expect(world.asked).toHaveLength(1);
    expect(told.matched).toBe(matched);
  });

  it('tells of another failure of the same class when another thing is wrong, not when only its words are', async () => {
    world.pods = [pod(1)];
    const fails = (message: string, about: string) =>
      world.answers.set('10.0.0.1', { ok: false, failure: failureOf('HTTPStatus', message, { about }) });
    fails('answered 500', '500');
    const known = afterwards(await look());
    fails('answered 500: at 12:00', '500');
    expect(await look(known)).toEqual({ matched: 1 });
    fails('answered 404', '404');
    expect((await look(known)).readings).toMatchObject([{ failure: { message: 'answered 404' } }]);
  });

  it('tells when a pod was started with its first reading, whatever that says, and with no other', async () => {
    world.pods = [pod(1, { createdAt: 1, startedAt: 2, startupMs: 3 }), pod(2, { createdAt: 4 })];
    world.answers.set('10.0.0.1', { ok: false, failure: failureOf('Timeout', 'late') });
    const first = await look();
    expect(first.readings).toMatchObject([
      { subject: 'uid-1', failure: { class: 'Timeout' }, startedAt: 2, startupMs: 3 },
      { subject: 'uid-2', startedAt: 4 },
    ]);
    expect(first.readings?.[1]).not.toHaveProperty('startupMs');
    world.answers.set('10.0.0.1', says('healthy'));
    const [next] = (await look(afterwards(first))).readings ?? [];
    expect(next).toMatchObject({ subject: 'uid-1', hash: expect.any(String) });
    expect(next).not.toHaveProperty('startedAt');
  });

  it('tells which parts are not known and why, of what was asked for', async () => {
    world.pods = [pod(1)];
    const data = { application: { health: null }, more: { unasked: null } };
    const unknown = ['application.health', 'more.unasked'];
    world.answers.set('10.0.0.1', { ok: true, data, unknown, why: 'no' });
    const first = await look();
    expect(first.readings).toMatchObject([
      { state: { application: { health: null } }, unknown: ['application.health'], why: 'no' },
    ]);
    world.answers.set('10.0.0.1', { ok: true, data, unknown, why: 'in other words' });
    expect(await look(afterwards(first))).toEqual({ matched: 1 });
    world.answers.set('10.0.0.1', { ok: true, data, unknown: ['more.unasked'], why: 'no' });
    const [next] = (await look(afterwards(first))).readings ?? [];
    expect(next).toMatchObject({ state: { application: { health: null } } });
    expect(next).not.toHaveProperty('unknown');
    expect(next).not.toHaveProperty('why');
  });

  it('says which pods are gone', async () => {
    const first = await look();
    world.pods = [pod(1)];
    expect(await look(afterwards(first))).toEqual({ matched: 1, gone: ['uid-2'] });
  });

  it('discards the answer of a pod that was replaced while it was asked', async () => {
    world.pods = [pod(1)];
    const answer = world.answers.get('10.0.0.1');
    Object.defineProperty(world.answers, 'get', {
      value: () => {
        world.pods = [pod(3, { ip: '10.0.0.1' })];
        return answer;
      },
    });
    expect((await look()).readings).toBeUndefined();
  });

  it('refuses a state that is too large to be remembered, and says how large it is', async () => {
    world.pods = [pod(1)];
    world.answers.set('10.0.0.1', says('x'.repeat(2_000)));
    expect((await look()).readings?.[0]?.failure).toEqual({
      class: 'TooLarge',
      kind: 'failing',
      message: 'the selected state has 2029 bytes, the limit is 1000: select fewer fields in spec.stateQuery',
    });
  });

  it.each([
    ['x', 971],
    ['é', 485],
    ['€', 323],
    ['🙂', 242],
    ['"', 485],
  ])('measures a state by its bytes as UTF-8, not by its characters: %s', async (character, most) => {
    world.pods = [pod(1)];
    world.answers.set('10.0.0.1', says(character.repeat(most)));
    expect((await look()).readings?.[0]).toHaveProperty('state');
    world.answers.set('10.0.0.1', says(character.repeat(most + 1)));
    expect((await look()).readings?.[0]?.failure?.class).toBe('TooLarge');
  });

  it('asks a URL once, for the app as a whole', async () => {
    world.app = appWith({ graphqlEndpoint: 'cart.shop.svc.cluster.local/graphql' });
    const told = await look();
    expect(world.asked.map(({ url }) => url)).toEqual(['http://cart.shop.svc.cluster.local/graphql']);
    expect(told.readings).toMatchObject([{ subject: 'app', name: 'cart' }]);
  });

  it.each([
    ['a number', { port: 9000 }, 'http://10.0.0.1:9000/graphql'],
    ['a name', { port: 'admin', scheme: 'https' }, 'https://10.0.0.1:9443/graphql'],
  ])('reaches the port that the spec names by %s', async (_, spec, url) => {
    world.app = appWith(spec);
    world.pods = [
      pod(1, {
        ports: [
          { name: 'http', port: 8080 },
          { name: 'admin', port: 9443 },
        ],
      }),
    ];
    await look();
    expect(world.asked.map((request) => request.url)).toEqual([url]);
  });

  it.each<[string, object, PodView['ports'], string]>([
    [
      'the first that the pod declares',
      {},
      [{ port: 8080 }, { name: 'http', port: 9090 }],
      'http://10.0.0.1:8080/graphql',
    ],
    ["the scheme's where it declares none", {}, [], 'http://10.0.0.1:80/graphql'],
    ["the scheme's where it declares none", { scheme: 'https' }, [], 'https://10.0.0.1:443/graphql'],
  ])('reaches %s when the spec names no port', async (_, spec, ports, url) => {
    world.app = appWith(spec);
    world.pods = [pod(1, { ports, defaultPort: ports[0]?.port })];
    await look();
    expect(world.asked.map((request) => request.url)).toEqual([url]);
  });

  it.each<[string, PodView['ports']]>([
    ['8080 and metrics (9090)', [{ port: 8080 }, { name: 'metrics', port: 9090 }]],
    ['http (80)', [{ name: 'http', port: 80 }]],
    [
      'a (1), b (2) and c (3)',
      [
        { name: 'a', port: 1 },
        { name: 'b', port: 2 },
        { name: 'c', port: 3 },
      ],
    ],
    ['none', []],
  ])(
    'takes a pod whose ports do not have the name for one that cannot be asked, and asks no other port: it has %s',
    async (declared, ports) => {
      world.app = appWith({ port: 'web' });
      world.pods = [pod(1, { ports }), pod(2, { ports: [{ name: 'web', port: 8080 }] })];
      const message = `no container port of the pod is named web; it has ${declared}`;
      expect((await look()).readings).toMatchObject([
        { subject: 'uid-1', name: 'cart-1', failure: { class: 'PortNotDeclared', kind: 'unknown', message } },
        { subject: 'uid-2', state: { application: { health: 'healthy' } } },
      ]);
      expect(world.asked.map(({ url }) => url)).toEqual(['http://10.0.0.2:8080/graphql']);
      expect(world.polled).toEqual(['PortNotDeclared']);
    },
  );

  it('asks nobody while suspended, held, or given a spec that makes no sense', async () => {
    world.app = appWith({ suspend: true });
    expect(await look()).toMatchObject({ plan: { suspend: true }, unasked: 'stopped' });
    world.app = appWith({}, 2);
    await look({ held: true });
    world.app = appWith({ stateQuery: 'mutation { boom }' }, 3);
    expect((await look()).plan?.problems).not.toEqual([]);
    expect(world.asked).toEqual([]);
  });

  it('asks nobody when it was given too little time for the plan it finds, and tells the plan for the next look', async () => {
    world.app = appWith({ timeout: 20 });
    const told = await look({}, 15_000);
    expect(told).toMatchObject({ matched: 2, unasked: 'again', plan: { timeoutMs: 20_000 } });
    expect(told.readings).toBeUndefined();
    expect(world.asked).toEqual([]);
    expect((await look({ plan: told.plan?.digest }, 25_000)).readings).toHaveLength(2);
  });

  it('tells every answer anew when the plan has changed', async () => {
    const first = await look();
    world.app = appWith({ pollingInterval: 60 }, 2);
    const told = await look(afterwards(first));
    expect(told.plan).toMatchObject({ generation: 2, intervalMs: 60_000 });
    expect(told.readings).toHaveLength(2);
  });

  it('gives a workflow that knows nothing what an earlier life of it had fired', async () => {
    const mirror = [{ rule: 'restart', digest: 'q-c', subject: 'uid-1', since: 1, firedAt: 2 }];
    world.app = { ...appWith(), mirror };
    const first = await look();
    expect(first.mirror).toEqual(mirror);
    expect((await look(afterwards(first))).mirror).toBeUndefined();
  });

  it('passes on a request to poll until it is answered', async () => {
    const app = appWith();
    world.app = { ...app, metadata: { ...app.metadata, annotations: { 'kco.local/poll-requested-at': 'noon' } } };
    expect((await look()).pollRequested).toBe('noon');
    expect((await look({ pollRequested: 'noon' })).pollRequested).toBeUndefined();
  });
});

describe('whether anybody runs', () => {
  it.each<[string, PodView[], boolean]>([
    ['nothing matches', [pod(1, { labels: { app: 'pay' } })], true],
    ['nothing runs yet', [pod(1, { phase: 'Pending' }), pod(2, { ip: undefined })], true],
    ['what ran has finished', [pod(1, { phase: 'Succeeded' })], true],
    ['one runs', [pod(1), pod(2, { phase: 'Pending' })], false],
    [
      'one is on its way out and its replacement does not run yet',
      [pod(1, { terminating: true }), pod(2, { phase: 'Pending' })],
      false,
    ],
  ])('is told when nobody does: %s', async (_, pods, nobody) => {
    world.pods = pods;
    expect((await look()).nothingRuns).toBe(nobody || undefined);
  });

  it('is told as long as it is so, and is no matter of an app that is asked as a whole', async () => {
    world.pods = [];
    expect(await look(afterwards(await look()))).toEqual({ matched: 0, nothingRuns: true });
    world.app = appWith({ graphqlEndpoint: 'http://cart.shop/graphql' }, 2);
    expect(await look()).not.toHaveProperty('nothingRuns');
  });

  it('cannot be said while the API server does not say whether the known pods are there', async () => {
    const known = afterwards(await look());
    world.pods = [];
    world.listed = new KubeError({ reason: 'ConnectFailed', message: 'away' });
    const told = await look(known);
    expect(told).toMatchObject({ podsUnknown: expect.stringContaining('whether its pods are still there') });
    expect(told).not.toHaveProperty('nothingRuns');
  });

  it('cannot be said of a watch that has heard nothing for long, though it goes on asking whom it knows', async () => {
    world.stalenessMs = 150_000;
    expect(await look()).not.toHaveProperty('podsUnknown');
    world.pods = [];
    expect(await look()).toMatchObject({ podsUnknown: 'the API server has said nothing of pods for 150 s' });
  });

  it('cannot be said where pods cannot be watched: what is known of them stays, and the app as a whole is asked', async () => {
    const known = afterwards(await look());
    Object.assign(world, { synced: false, trouble: 'pods is forbidden', pods: [] });
    world.listed = new KubeError({ reason: 'Forbidden', message: 'pods is forbidden' });
    const podsUnknown = 'the pods of this namespace cannot be watched: pods is forbidden';
    const failure = { class: 'PodUnconfirmed', kind: 'unknown' };
    expect(await look(known)).toMatchObject({ podsUnknown, readings: [{ failure }, { failure }] });
    expect(world.polled.at(-1)).toBe('PodUnconfirmed');
    world.app = appWith({ suspend: true }, 2);
    expect(await look(known)).toMatchObject({ podsUnknown, unasked: 'stopped' });
    world.app = appWith({ graphqlEndpoint: 'http://cart.shop/graphql' }, 3);
    expect((await look()).readings).toMatchObject([{ subject: 'app', state: { application: { health: 'healthy' } } }]);
  });
});

/** A pod as the API server has it. */
const storedPod = (n: number, metadata: object = {}, status: object = {}): KubeObject => {
  const { uid, name, namespace, labels, phase, ip } = pod(n);
  return {
    metadata: { uid, name, namespace, labels, resourceVersion: '1', ...metadata },
    ...({
      spec: { containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
      status: { phase, podIP: ip, ...status },
    } as object),
  };
};

describe('whether a pod that the watch does not have is gone', () => {
  let known: Partial<ObserveInput>;
  beforeEach(async () => {
    known = afterwards(await look());
    world.pods = [pod(1)];
    world.asked = [];
  });

  it('is not asked while none is missing', async () => {
    world.pods = [pod(1), pod(2, { terminating: true })];
    expect(await look(known)).toEqual({ matched: 1, gone: ['uid-2'] });
    expect(world.lists).toEqual([]);
  });

  it('is no when the API server has it: it is asked as ever', async () => {
    world.listed = [storedPod(1), storedPod(2), storedPod(3)];
    expect(await look(known)).toEqual({ matched: 2 });
    expect(world.asked.map(({ url }) => url)).toEqual(['http://10.0.0.1:8080/graphql', 'http://10.0.0.2:8080/graphql']);
    world.answers.set('10.0.0.2', says('unhealthy'));
    expect((await look(known)).readings).toMatchObject([
      { subject: 'uid-2', state: { application: { health: 'unhealthy' } } },
    ]);
  });

  it.each<[string, KubeObject[]]>([
    ['the API server does not have it either', [storedPod(1)]],
    ['its name belongs to another one', [storedPod(1), storedPod(2, { uid: 'uid-3' })]],
    ['it is on its way out', [storedPod(2, { deletionTimestamp: '2026-01-01T00:00:00Z' })]],
    ['it has finished', [storedPod(2, {}, { phase: 'Succeeded' })]],
    ['it does not run yet', [storedPod(2, {}, { phase: 'Pending' })]],
  ])('is yes when %s', async (_, listed) => {
    world.listed = listed;
    expect(await look(known)).toMatchObject({ gone: ['uid-2'] });
    expect(world.asked).toHaveLength(1);
  });

  it('is left open while the API server is away: what is known of it stays, and its state is unknown', async () => {
    world.listed = new KubeError({ reason: 'ConnectFailed', message: 'away' });
    const message = expect.stringContaining('whether the pod is still there');
    const failure = { class: 'PodUnconfirmed', kind: 'unknown', message };
    const first = await look(known);
    expect(first).toEqual({ matched: 1, readings: [{ subject: 'uid-2', name: '', failure }] });
    const told = { ...known, known: { ...known.known, 'uid-2': `${known.known?.['uid-2']}!PodUnconfirmed` } };
    expect(await look(told)).toEqual({ matched: 1 });
    world.listed = [storedPod(1)];
    expect(await look(known)).toEqual({ matched: 1, gone: ['uid-2'] });
  });

  it('is asked once for all that are missing, by the selector', async () => {
    const matchExpressions = [
      { key: 'tier', operator: 'In', values: ['web', 'api'] },
      { key: 'stage', operator: 'NotIn', values: ['test'] },
      { key: 'owner', operator: 'Exists' },
      { key: 'canary', operator: 'DoesNotExist' },
    ];
    world.app = appWith({ selector: { matchLabels: { app: 'cart' }, matchExpressions } }, 2);
    world.pods = [];
    expect(await look(known)).toMatchObject({ matched: 0, gone: ['uid-1', 'uid-2'] });
    expect(world.lists).toMatchObject([
      { namespace: 'shop', labelSelector: 'app=cart,tier in (web,api),stage notin (test),owner,!canary' },
    ]);
  });

  it('does not matter to an app that is asked as a whole', async () => {
    world.app = appWith({ graphqlEndpoint: 'http://cart.shop/graphql' }, 2);
    expect(await look(known)).toMatchObject({ gone: ['uid-1', 'uid-2'] });
    expect(world.lists).toEqual([]);
  });
});

describe('whether the TargetApp is still there', () => {
  it('is not decided by a cache that lacks it', async () => {
    world.stored = {
      metadata: { ...ref, resourceVersion: '1', generation: 1 },
      ...({ spec: appWith().spec } as object),
    };
    world.app = undefined;
    expect(await look()).toMatchObject({ matched: 2 });
    expect(world.gets).toBe(1);
  });

  it('is decided by the API server', async () => {
    world.app = undefined;
    expect(await look()).toEqual({ matched: 0, deleted: true });
  });

  it('is no when its name belongs to another uid', async () => {
    world.app = { ...appWith(), metadata: { ...ref, uid: 'app-2', generation: 1 } };
    world.stored = { metadata: { ...ref, uid: 'app-2', resourceVersion: '1' } };
    expect(await look()).toEqual({ matched: 0, deleted: true });
  });

  it('is no from the moment at which its deletion begins, whoever holds it up', async () => {
    const ending = { ...ref, generation: 2, deletionTimestamp: '2026-01-01T00:00:00Z' };
    world.app = { ...appWith(), metadata: ending };
    expect(await look()).toEqual({ matched: 0, deleted: true });
    expect(world.gets).toBe(0);
    world.app = undefined;
    world.stored = { metadata: { ...ending, resourceVersion: '2' } };
    expect(await look()).toEqual({ matched: 0, deleted: true });
    expect(world.asked).toEqual([]);
  });

  it('is no while it is polled: the poll is not counted, and nothing of it is remembered', async () => {
    const { answers } = world;
    await look();
    expect([apps.size, world.polled.length]).toEqual([1, 1]);
    const get = (host: string) => {
      world.app = undefined;
      apps.forget(ref.uid);
      return answers.get(host);
    };
    world.answers = Object.defineProperty(new Map(answers), 'get', { value: get });
    await look();
    expect([apps.size, world.polled.length]).toEqual([0, 1]);
    // The API server may have it for a moment longer than the watch.
    world.stored = {
      metadata: { ...ref, resourceVersion: '1', generation: 1 },
      ...({ spec: appWith().spec } as object),
    };
    await look();
    expect([apps.size, world.polled.length]).toEqual([0, 1]);
  });

  it('is read from the API server when the cache is behind what the workflow has seen', async () => {
    const first = await look();
    const later = { ...first, plan: { ...first.plan, digest: 'g2-00000000' } };
    world.stored = {
      metadata: { ...ref, resourceVersion: '1', generation: 2 },
      ...({ spec: appWith().spec } as object),
    };
    expect((await look({ plan: later.plan.digest })).plan?.generation).toBe(2);
    expect(world.gets).toBe(1);
  });

  it('is read from the API server itself when something was said to have changed', async () => {
    world.stored = undefined;
    expect(await look({ fresh: true })).toEqual({ matched: 0, deleted: true });
  });

  it.each<[string, string[], boolean]>([
    ['of a namespace that is not watched any more is over', ['bank', 'depot'], false],
    ['of a namespace that is watched goes on', ['bank', 'shop'], true],
  ])(
    'does not matter where it may not be watched: one %s, and the API server is not asked',
    async (_, namespaces, goesOn) => {
      // The API server may well answer, with rights for all namespaces; or refuse it for ever, with rights for some.
      world.stored = {
        metadata: { ...ref, resourceVersion: '1', generation: 1 },
        ...({ spec: appWith().spec } as object),
      };
      const inForce = apps.effectiveSpec(appWith());
      world.namespaces.push(...namespaces);
      const told = await look();
      expect((await apps.present(ref, 1))?.now).toBe(goesOn ? inForce : undefined);
      expect(told.deleted).toBe(goesOn ? undefined : true);
      expect(world.asked).toHaveLength(goesOn ? 2 : 0);
      if (!goesOn) expect(await look({ fresh: true })).toEqual({ matched: 0, deleted: true });
      expect(world.gets).toBe(0);
    },
  );

  it('is not known while the API server fails: the poll fails and is tried again', async () => {
    world.synced = false;
    await expect(look()).rejects.toThrow('has not synced');
  });
});
