import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createKube,
  type Kube,
  type KubeError,
  type KubeObject,
  type ResourceRef,
} from '../../../../src/clients/kubernetes/client.ts';
import {
  createInformer,
  type Informer,
  type InformerOptions,
} from '../../../../src/clients/kubernetes/informer/informer.ts';
import { type Answer, type FakeApiServer, json, startFakeApiServer, status } from '../../../support/fake-api-server.ts';

const ref: ResourceRef = { apiVersion: 'test.example/v1', kind: 'Thing', plural: 'things', namespaced: true };

interface Thing {
  name: string;
  uid: string;
  version: string;
}

const object = (name: string, version: string, uid = `uid-${name}`, namespace = 'default'): KubeObject => ({
  metadata: { name, namespace, uid, resourceVersion: version },
});
const trim = ({ metadata }: KubeObject): Thing => ({
  name: metadata.name,
  uid: metadata.uid,
  version: metadata.resourceVersion,
});
const list = (version: string, ...items: KubeObject[]): Answer =>
  json({ items, metadata: { resourceVersion: version } });
const line = (type: string, each: object) => `${JSON.stringify({ type, object: each })}\n`;
const added = (name: string, version: string, uid?: string) => line('ADDED', object(name, version, uid));
const expired = line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });

/** A watch that sends these and stays open. */
const sends =
  (...parts: (string | Buffer)[]): Answer =>
  (response) => {
    response.writeHead(200);
    response.flushHeaders();
    for (const part of parts) response.write(part);
  };
const breaks: Answer = (response) => response.destroy();

let api: FakeApiServer;
let kube: Kube;
let cache: Informer<Thing>;
let seen: string[];
let failures: { error: KubeError; waitMs: number }[];

const fast = { backoffMs: 5, backoffCapMs: 40, stallMs: 5000 };

/** Starts a cache against scripted answers; the last one of each script is repeated. */
const follow = async (
  script: { lists: Answer[]; watches: Answer[] },
  options: Partial<InformerOptions<Thing>> = {},
): Promise<void> => {
  let lists = 0;
  let watches = 0;
  const answer = (response: ServerResponse, ...rest: [Parameters<Answer>[1]]) => {
    const isWatch = rest[0].url?.includes('watch=true') ?? false;
    const answers = isWatch ? script.watches : script.lists;
    const at = Math.min(isWatch ? watches++ : lists++, answers.length - 1);
    answers[at]?.(response, ...rest);
  };
  api = await startFakeApiServer({ answer });
  kube = createKube({ kubeconfig: api.kubeconfig });
  seen = [];
  failures = [];
  cache = createInformer<Thing>({
    kube,
    ref,
    transform: trim,
    onChange: (event, { name, version }) => seen.push(`${event} ${name}@${version}`),
    onError: (error, waitMs) => failures.push({ error: error as KubeError, waitMs }),
    ...options,
    timing: { ...fast, ...options.timing },
  });
  cache.start();
};

const until = async (condition: () => boolean): Promise<void> => {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 6_000) throw new Error(`not reached; saw ${JSON.stringify({ seen, asked: asked() })}`);
    await delay(10);
  }
};

const asked = () => api.requests.map(({ url }) => url);
const watchesAsked = () => asked().filter((url) => url.searchParams.has('watch'));
const listsAsked = () => asked().filter((url) => !url.searchParams.has('watch'));

afterEach(async () => {
  await cache.stop();
  await kube.close();
  await api.close();
});

describe('the copy', () => {
  it('is synced after the first list and follows the watch from its version', async () => {
    const changes = line('MODIFIED', object('a', '12')) + added('b', '13') + line('DELETED', object('a', '14'));
    await follow({ lists: [list('11', object('a', '10'))], watches: [sends(changes)] });
    expect(cache.hasSynced()).toBe(false);
    expect(cache.stalenessMs()).toBe(Number.POSITIVE_INFINITY);
    await cache.synced;
    expect(cache.hasSynced()).toBe(true);
    await until(() => seen.length === 4);
    expect(seen).toEqual(['added a@10', 'modified a@12', 'added b@13', 'deleted a@12']);
    expect(cache.list('default')).toEqual([{ name: 'b', uid: 'uid-b', version: '13' }]);
    expect(cache.list()).toEqual(cache.list('default'));
    expect([cache.get('default', 'b')?.version, cache.get('other', 'b'), cache.size]).toEqual(['13', undefined, 1]);
    expect(watchesAsked()[0]?.searchParams.get('resourceVersion')).toBe('11');
    expect(watchesAsked()[0]?.searchParams.get('allowWatchBookmarks')).toBe('true');
    expect(cache.stalenessMs()).toBeLessThan(5000);
  });

  it('is put together from pages, and watched from the version of the last', async () => {
    const page = (token: string, version: string, each: KubeObject): Answer =>
      json({ items: [each], metadata: { resourceVersion: version, continue: token } });
    await follow({ lists: [page('next', '5', object('a', '1')), page('', '6', object('b', '2'))], watches: [sends()] });
    await until(() => watchesAsked().length === 1);
    expect(seen).toEqual(['added a@1', 'added b@2']);
    expect(listsAsked().map((url) => [url.searchParams.get('limit'), url.searchParams.get('continue')])).toEqual([
      ['500', null],
      ['500', 'next'],
    ]);
    // An API server pays no attention to the limit of a list of any version ("0").
    expect(listsAsked().map((url) => url.searchParams.get('resourceVersion'))).toEqual([null, null]);
    expect(watchesAsked()[0]?.searchParams.get('resourceVersion')).toBe('6');
  });

  it('is listed and watched per namespace, and synced when all are', async () => {
    await follow(
      { lists: [list('1')], watches: [sends()] },
      { namespaces: ['one', 'two'], labelSelector: 'app in (a,b)' },
    );
    await cache.synced;
    await until(() => watchesAsked().length === 2);
    expect(
      asked()
        .map((url) => url.pathname)
        .sort(),
    ).toEqual([
      '/apis/test.example/v1/namespaces/one/things',
      '/apis/test.example/v1/namespaces/one/things',
      '/apis/test.example/v1/namespaces/two/things',
      '/apis/test.example/v1/namespaces/two/things',
    ]);
    expect(asked().every((url) => url.searchParams.get('labelSelector') === 'app in (a,b)')).toBe(true);
  });

  it('is synced by namespace: one that may not be listed is named, holds up no other, and comes back by itself', async () => {
    const forbidden = status(403, 'Forbidden');
    let allowed = false;
    const lists: Answer = (response, request) => {
      const isTwo = request.url?.includes('/namespaces/two/') ?? false;
      if (isTwo && !allowed) return forbidden(response, request);
      return list('1', object('a', '1', 'uid-a', isTwo ? 'two' : 'one'))(response, request);
    };
    const returned: (string | undefined)[] = [];
    await follow(
      { lists: [lists], watches: [sends()] },
      { namespaces: ['one', 'two'], onReturn: (namespace) => void returned.push(namespace) },
    );
    await until(
      () => cache.scopes()[1]?.trouble !== undefined && cache.scopes()[0]?.stalenessMs !== Number.POSITIVE_INFINITY,
    );
    expect([cache.hasSynced('one'), cache.hasSynced('two'), cache.hasSynced('three'), cache.hasSynced()]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const stalenessMs = expect.any(Number);
    expect(cache.scopes()).toEqual([
      { namespace: 'one', hasSynced: true, stalenessMs },
      { namespace: 'two', hasSynced: false, stalenessMs: Number.POSITIVE_INFINITY, trouble: 'fake Forbidden' },
    ]);
    expect(cache.list('one')).toHaveLength(1);
    allowed = true;
    await cache.synced;
    await until(() => returned.length > 0);
    expect(cache.scopes()[1]).toEqual({ namespace: 'two', hasSynced: true, stalenessMs });
    expect(returned).toEqual(['two']);
    expect(seen).toEqual(['added a@1', 'added a@1']);
  });

  it('takes a name with another uid for another object', async () => {
    await follow({
      lists: [list('1', object('a', '1'))],
      watches: [sends(added('a', '2', 'uid-new'), line('DELETED', object('a', '3')))],
    });
    await until(() => seen.length === 3);
    // The late deletion of the older one takes nothing away.
    await cache.stop();
    expect(seen).toEqual(['added a@1', 'deleted a@1', 'added a@2']);
    expect(cache.get('default', 'a')?.uid).toBe('uid-new');
  });

  it('outlives a listener that throws', async () => {
    const onChange = () => {
      throw new Error('listener');
    };
    await follow({ lists: [list('1', object('a', '1'))], watches: [sends(added('b', '2'))] }, { onChange });
    await until(() => cache.size === 2);
    expect(watchesAsked()).toHaveLength(1);
    expect(failures).toHaveLength(2);
  });
});

describe('a watch that ends', () => {
  it('goes on from the last event or bookmark without a list', async () => {
    const bookmark = line('BOOKMARK', { metadata: { resourceVersion: '20' } });
    const ends: Answer = (response) => response.end(added('b', '12') + bookmark);
    await follow({ lists: [list('11')], watches: [ends, sends(added('c', '21'))] });
    await until(() => seen.length === 2);
    expect(watchesAsked()[1]?.searchParams.get('resourceVersion')).toBe('20');
    expect(listsAsked()).toHaveLength(1);
    expect(failures).toEqual([]);
  });

  it.each<[string, Answer]>([
    ['a broken connection', breaks],
    ['500', status(500, 'InternalError')],
    ['503', status(503, 'ServiceUnavailable')],
    ['an end at once', (response) => response.end()],
    ['an ERROR event of 500', sends(line('ERROR', { kind: 'Status', code: 500, reason: 'InternalError' }))],
  ])('is opened again after %s, from the same version', async (_, failure) => {
    await follow({ lists: [list('11', object('a', '1'))], watches: [failure, failure, sends(added('b', '12'))] });
    await until(() => seen.includes('added b@12'));
    expect(watchesAsked().map((url) => url.searchParams.get('resourceVersion'))).toEqual(['11', '11', '11']);
    expect(listsAsked()).toHaveLength(1);
    expect(seen).toEqual(['added a@1', 'added b@12']);
    expect(failures).toHaveLength(2);
  });

  it.each<[string, Answer]>([
    ['410 as HTTP status', status(410, 'Expired')],
    ['410 as an ERROR event', sends(expired)],
    ['404 of the type', (response) => response.writeHead(404).end('404 page not found')],
    ['a line that is not JSON', sends('{"type":"ADDED"\n')],
    [
      'a version from the future',
      status(504, 'Timeout', {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      }),
    ],
  ])('leads to a new list after %s, and the difference is told by uid', async (_, failure) => {
    const before = list('11', object('gone', '1'), object('same', '2'), object('changed', '3'), object('renewed', '4'));
    const after = list(
      '99',
      object('same', '2'),
      object('changed', '50'),
      object('renewed', '51', 'uid-2'),
      object('new', '52'),
    );
    await follow({ lists: [before, after], watches: [failure, sends(added('last', '100'))] });
    await until(() => seen.includes('added last@100'));
    expect(seen.slice(4)).toEqual([
      'deleted gone@1',
      'modified changed@50',
      'deleted renewed@4',
      'added renewed@51',
      'added new@52',
      'added last@100',
    ]);
    expect(watchesAsked()[1]?.searchParams.get('resourceVersion')).toBe('99');
    // A later list must not be older than what is known.
    expect(listsAsked()[1]?.searchParams.get('resourceVersion')).toBe(null);
  });

  it('waits for as long as a 429 asks', async () => {
    const busy = status(429, 'TooManyRequests', {}, { 'retry-after': '1' });
    await follow({ lists: [list('11')], watches: [busy, sends(added('b', '12'))] });
    await until(() => seen.length === 1);
    expect(failures.map(({ waitMs }) => waitMs)).toEqual([1000]);
  });

  it('is noticed when it falls silent', async () => {
    const stallMs = 100;
    await follow(
      { lists: [list('11')], watches: [sends(added('a', '12')), sends(added('b', '13'))] },
      { timing: { stallMs } },
    );
    await until(() => seen.length === 2);
    expect(watchesAsked()[1]?.searchParams.get('resourceVersion')).toBe('12');
    expect(failures[0]?.error.reason).toBe('Timeout');
  });

  it('is named for as long as it stays silent, however often it is opened', async () => {
    const stallMs = 100;
    await follow(
      { lists: [list('11')], watches: [sends(), sends(), sends(), sends(added('a', '12'))] },
      { timing: { stallMs } },
    );
    await until(() => watchesAsked().length === 3);
    expect(cache.scopes()[0]?.trouble).toBe('the watch was silent for 100 ms');
    await until(() => seen.length === 1);
    await until(() => cache.scopes()[0]?.trouble === undefined);
  });

  it('is not taken for silent while bytes arrive', async () => {
    const drips: Answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(line('BOOKMARK', { metadata: { resourceVersion: '12' } })), 25);
      response.on('close', () => clearInterval(timer));
    };
    await follow({ lists: [list('11')], watches: [drips] }, { timing: { stallMs: 1_000 } });
    await cache.synced;
    await delay(2_500);
    expect(watchesAsked()).toHaveLength(1);
    expect(cache.stalenessMs()).toBeLessThan(1_000);
  });

  it('is listed anew from time to time even when all is well', async () => {
    const ends: Answer = (response, { url }) => {
      const seconds = Number(new URL(url ?? '', 'http://fake').searchParams.get('timeoutSeconds'));
      response.writeHead(200).flushHeaders();
      setTimeout(() => response.end(), seconds * 1000).unref();
    };
    await follow(
      { lists: [list('11', object('a', '1')), list('30')], watches: [ends] },
      { timing: { relistMs: 1000 } },
    );
    await until(() => seen.length === 2);
    expect(seen).toEqual(['added a@1', 'deleted a@1']);
    expect(failures).toEqual([]);
  });

  it.each<[string, Answer]>([
    ['429', status(429, 'TooManyRequests')],
    ['500', status(500, 'InternalError')],
    ['410, of a continue token', status(410, 'Expired')],
    ['a broken connection', breaks],
  ])('is watched on from its version when that list fails with %s', async (_, failure) => {
    let watches = 0;
    const ends: Answer = (response, { url }) => {
      watches += 1;
      const seconds = Number(new URL(url ?? '', 'http://fake').searchParams.get('timeoutSeconds'));
      response.writeHead(200).flushHeaders();
      if (watches > 1) response.write(added('b', '12'));
      setTimeout(() => response.end(), seconds * 1000).unref();
    };
    await follow({ lists: [list('11'), failure], watches: [ends] }, { timing: { relistMs: 1000 } });
    await until(() => seen.length === 1);
    expect(failures.length).toBeGreaterThan(0);
    expect(watchesAsked()[1]?.searchParams.get('resourceVersion')).toBe('11');
    expect(cache.scopes()).toEqual([{ hasSynced: true, stalenessMs: expect.any(Number) }]);
    expect(cache.stalenessMs()).toBeLessThan(2_000);
  });
});

describe('a list that fails', () => {
  it.each<[string, Answer]>([
    ['a broken connection', breaks],
    ['403', status(403, 'Forbidden')],
    ['404, because the CRD is gone', (response) => response.writeHead(404).end('404 page not found')],
    ['500', status(500, 'InternalError')],
    ['no JSON', (response) => response.end('<html>')],
  ])('deletes nothing and is tried again after %s', async (_, failure) => {
    const lists = [
      list('11', object('a', '1')),
      failure,
      failure,
      failure,
      list('20', object('a', '1'), object('b', '15')),
    ];
    await follow({ lists, watches: [sends(expired), sends()] });
    await until(() => seen.length === 2);
    expect(seen).toEqual(['added a@1', 'added b@15']);
  });

  it('deletes nothing when its second page fails', async () => {
    const half = json({ items: [object('b', '2')], metadata: { resourceVersion: '5', continue: 'more' } });
    const lists = [list('11', object('a', '1')), half, status(500, 'InternalError'), list('20', object('a', '1'))];
    await follow({ lists, watches: [sends(expired), sends()] });
    await until(() => watchesAsked().length === 2);
    expect(seen).toEqual(['added a@1']);
  });

  it('is asked in one piece when its continue token has expired', async () => {
    const half = json({ items: [object('a', '2')], metadata: { resourceVersion: '5', continue: 'more' } });
    await follow({ lists: [half, status(410, 'Expired'), list('20', object('a', '2'))], watches: [sends()] });
    await cache.synced;
    expect(listsAsked().map((url) => url.searchParams.get('limit'))).toEqual(['500', '500', null]);
  });

  it('waits longer after each failure, up to a cap, and starts short again after a success', async () => {
    const clock = {
      now: () => performance.now(),
      sleep: (ms: number) => delay(Math.min(ms, 1)).then(() => undefined),
      random: () => 0,
    };
    const failing = Array.from({ length: 6 }, () => status(500, 'InternalError'));
    const watches = [(response: ServerResponse) => response.end(added('a', '12')), breaks, sends(added('b', '13'))];
    await follow(
      { lists: [...failing, list('11')], watches },
      { clock, timing: { backoffMs: 100, backoffCapMs: 1500 } },
    );
    await until(() => seen.length === 2);
    expect(failures.map(({ waitMs }) => waitMs)).toEqual([100, 200, 400, 800, 1500, 1500, 100]);
  });

  it('ends promptly when it is stopped while it waits', async () => {
    await follow(
      { lists: [status(403, 'Forbidden')], watches: [] },
      { timing: { backoffMs: 60_000, backoffCapMs: 60_000 } },
    );
    await until(() => failures.length === 1);
    await cache.stop();
    expect(cache.hasSynced()).toBe(false);
  });
});
