import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type SampleApp, startSampleApp } from '../../../dev/sample-app/app.ts';
import type { Fault } from '../../../dev/sample-app/fault.ts';
import {
  createGraphql,
  type Graphql,
  type GraphqlOptions,
  type GraphqlRequest,
} from '../../../src/clients/graphql/client.ts';
import { createHttp, type Http } from '../../../src/clients/http/http-client.ts';
import { failureKey } from '../../../src/domain/failure.ts';
import { startStopwatch } from '../../support/pace.ts';
import { startUntrustedServer } from '../../support/tls-server.ts';

const document = 'query { application { status health pendingTasks lastError } }';
const healthy = { application: { status: 'running', health: 'healthy', pendingTasks: 0, lastError: null } };
const address = '127.22.0.1';

let app: SampleApp;
let http: Http;
let waits: number[] = [];

/** A client whose waits are written down instead of waited for. */
const client = (options: Partial<GraphqlOptions> = {}): Graphql =>
  createGraphql({ http, random: () => 0.5, sleep: async (ms) => void waits.push(ms), ...options });
const request = (given: Partial<GraphqlRequest> = {}): GraphqlRequest => ({
  url: app.url(address),
  document,
  deadlineMs: 2000,
  ...given,
});
const body = (text: string | Buffer, contentType?: string, status?: number): Fault => ({
  kind: 'body',
  body: text,
  contentType,
  status,
});
const errors = (count: number, error: object = {}): string =>
  JSON.stringify({
    data: null,
    errors: Array.from({ length: count }, (_, i) => ({ message: `wrong ${i}`, ...error })),
  });

beforeAll(async () => {
  app = await startSampleApp();
  http = createHttp();
});
afterEach(() => {
  waits = [];
  app.fault(address, undefined);
  app.forget(address);
});
afterAll(async () => {
  await http.close();
  await app.close();
});

describe('a query', () => {
  it('gives the data', async () => {
    expect(await client().query(request())).toEqual({ ok: true, data: healthy, unknown: [] });
  });

  it('sends its variables', async () => {
    const query = request({
      document: 'query Q($yes: Boolean!) { application { status health @include(if: $yes) } }',
      variables: { yes: false },
    });
    expect(await client().query(query)).toMatchObject({ ok: true, data: { application: { status: 'running' } } });
  });

  it('does not read an answer again whose bytes are known, and reads every other one', async () => {
    const told: string[] = [];
    const known = { isKnown: (digest: string) => told.push(digest) > 1 && told.at(-1) === told.at(-2) };
    expect(await client().query(request({ known }))).toMatchObject({ ok: true, data: healthy });
    expect(await client().query(request({ known }))).toEqual({ ok: true, same: true });
    app.fault(address, body('{"data":{"a":1}}'));
    expect(await client().query(request({ known }))).toMatchObject({ ok: true, data: { a: 1 } });
  });

  it('never takes a refusal for an answer that is known', async () => {
    app.fault(address, body('{"data":{"a":1}}', undefined, 500));
    const query = request({ known: { isKnown: () => true } });
    expect(await client({ retries: 0 }).query(query)).toMatchObject({ ok: false, failure: { class: 'HTTPStatus' } });
  });

  it('takes JSON whatever it is called, and skips a byte order mark', async () => {
    app.fault(address, body(Buffer.from(`\ufeff${JSON.stringify({ data: { a: 1 } })}`), 'text/plain'));
    expect(await client().query(request())).toEqual({ ok: true, data: { a: 1 }, unknown: [] });
  });
});

const nested = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;

describe('a response', () => {
  it.each<[string, Fault, string, RegExp]>([
    ['3xx', { kind: 'redirect', to: '/elsewhere' }, 'RedirectRefused', /answered 302/],
    ['401', { kind: 'status', status: 401 }, 'HTTPStatus', /answered 401$/],
    ['404', { kind: 'status', status: 404 }, 'HTTPStatus', /answered 404$/],
    ['429', { kind: 'status', status: 429 }, 'HTTPStatus', /answered 429$/],
    ['500', { kind: 'status', status: 500 }, 'HTTPStatus', /answered 500$/],
    ['400 that says why', body(errors(1), undefined, 400), 'HTTPStatus', /answered 400: wrong 0$/],
    [
      'HTML with 200',
      body('<!doctype html><title>Log in</title>', 'text/html'),
      'NotJSON',
      /text\/html instead of JSON$/,
    ],
    ['text with 200', body('OK', 'text/plain'), 'NotJSON', /text\/plain/],
    ['nothing with 200', body(''), 'NotJSON', /an empty body/],
    ['gzip', { kind: 'gzip' }, 'NotJSON', /compressed/],
    ['200 MB', { kind: 'flood', bytes: 200_000_000 }, 'TooLarge', /more than 1048576 bytes$/],
    ['a truncated body', { kind: 'truncate' }, 'ConnectFailed', /answer/],
    ['truncated JSON', body('{"data":{"a":1'), 'InvalidJSON', /cut off/],
    ['invalid UTF-8', body(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])), 'InvalidJSON', /UTF-8/],
    ['duplicate keys', body('{"data":{"a":1,"a":2}}'), 'InvalidJSON', /same key twice/],
    ['depth 10,000', body(`{"data":${nested}}`), 'TooDeep', /32 levels/],
    ['__proto__', body('{"data":{"__proto__":{"a":1}}}'), 'ForbiddenKey', /__proto__/],
    [
      'unsafe numbers all over the place',
      body(JSON.stringify({ data: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, 1e20])) })),
      'UnsafeNumber',
      /cannot be compared exactly/,
    ],
    ['20,000 values', body(JSON.stringify({ data: { a: Array(20_000).fill(1) } })), 'TooLarge', /10000 keys/],
    ['a top-level list', body('[{"data":{}}]'), 'NotAGraphQLResponse', /not an object/],
    ['JSON of another kind', body('{"status":"UP"}'), 'NotAGraphQLResponse', /neither data nor errors/],
    ['data that is a list', body('{"data":[1]}'), 'NotAGraphQLResponse', /data that is not an object/],
    ['errors that are no list', body('{"data":null,"errors":{"message":"x"}}'), 'NotAGraphQLResponse', /not a list/],
    ['data: null without errors', body('{"data":null}'), 'NotAGraphQLResponse', /neither/],
    ['data: null with errors', body(errors(2)), 'GraphQLError', /wrong 0 \(and 1 more\)$/],
    ['errors that are not objects', body('{"errors":["boom"]}'), 'GraphQLError', /without a message/],
    ['10,000 errors', body(errors(10_000, { path: ['a'] })), 'GraphQLError', /wrong 0 \(and 9999 more\)$/],
    [
      'data with 10,000 errors',
      body(JSON.stringify({ data: { a: 1 }, errors: Array(10_000).fill({ message: 'no', path: ['a'] }) })),
      'PartialData',
      /9999 more/,
    ],
    ['data with an error that has no path', body('{"data":{"a":1},"errors":[{"message":"no"}]}'), 'PartialData', /no$/],
    ['a hang', { kind: 'hang' }, 'Timeout', /within 0.3 s$/],
    ['a slow drip', { kind: 'drip', everyMs: 50 }, 'Timeout', /within 0.3 s$/],
    ['a reset connection', { kind: 'reset' }, 'ConnectFailed', /connection/],
  ])('of %s is a failure with its class', async (_, fault, expected, message) => {
    app.fault(address, fault);
    const deadlineMs = expected === 'Timeout' ? 300 : 10_000;
    const result = await client({ retries: 0 }).query(request({ deadlineMs }));
    expect(result).toMatchObject({ ok: false, failure: { class: expected, message: expect.stringMatching(message) } });
    expect(result.ok || result.failure.message.length).toBeLessThan(300);
  });

  it.each([
    [
      'nobody listens',
      async () => ({ url: 'http://127.0.0.1:1/graphql', close: async () => undefined }),
      'ConnectFailed',
    ],
    ['the endpoint is not a URL', async () => ({ url: 'graphql', close: async () => undefined }), 'EgressDenied'],
    [
      'the certificate does not verify',
      async () => {
        const { port, close } = await startUntrustedServer();
        return { url: `https://127.0.0.1:${port}/graphql`, close };
      },
      'TLSVerifyFailed',
    ],
  ])('is missing where %s', async (_, start, expected) => {
    const { url, close } = await start();
    expect(await client().query(request({ url }))).toMatchObject({ ok: false, failure: { class: expected } });
    await close();
  });

  it('is read in spite of lone surrogates, which do not get any further', async () => {
    app.fault(address, body('{"data":{"a":"x\\ud800"}}'));
    expect(await client().query(request())).toEqual({ ok: true, data: { a: 'x\ufffd' }, unknown: [] });
    app.fault(address, body('{"data":null,"errors":[{"message":"x\\ud800\\u0007\\u202ey\\nz"}]}'));
    const result = await client().query(request());
    expect(!result.ok && result.failure.message).toMatch(/: x\ufffd y z$/);
  });

  it('of an error that goes on and on is cut, and credentials in it are masked', async () => {
    const message = `cannot reach http://admin:s3cr3t@db/ with Bearer abc.def ${'x'.repeat(100_000)}`;
    app.fault(address, body(JSON.stringify({ data: null, errors: [{ message }] })));
    const result = await client().query(request());
    const text = result.ok ? '' : result.failure.message;
    expect(text).toMatch(/cannot reach http:\/\/db\/ with Bearer \*\*\* x+…$/);
    expect(text.length).toBeLessThan(260);
  });
});

describe('data with numbers that cannot be compared exactly', () => {
  it.each<[string, string, unknown, string[]]>([
    ['a field', '{"a":9007199254740993,"b":1}', { a: null, b: 1 }, ['a']],
    ['an element of a list', '{"l":[{"n":1e400},{"n":2}]}', { l: [{ n: null }, { n: 2 }] }, ['l[0].n']],
    ['a key that no path can name', '{"j":{"a.b":1e20,"c":1}}', { j: { 'a.b': null, c: 1 } }, ['j']],
  ])('is known but for those: %s', async (_, data, known, unknown) => {
    app.fault(address, body(`{"data":${data}}`));
    expect(await client().query(request())).toEqual({
      ok: true,
      data: known,
      unknown,
      why: expect.stringMatching(/beyond 2\^53: let the application send it as text/),
    });
  });

  it('is known but for the lists they are in, where they are many', async () => {
    app.fault(address, body(JSON.stringify({ data: { l: Array(500).fill(1e20), n: 1 } })));
    expect(await client().query(request())).toMatchObject({ ok: true, unknown: ['l'] });
  });

  it('is known as a whole where they are not part of the data', async () => {
    app.fault(address, body('{"data":{"a":1},"extensions":{"cost":1e400}}'));
    expect(await client().query(request())).toEqual({ ok: true, data: { a: 1 }, unknown: [] });
  });
});

describe('data with errors', () => {
  it('is the same whatever the order of the errors, and whether one lies in another', async () => {
    const paths = [['b'], ['a', 'x'], ['a']];
    for (const order of [paths, paths.toReversed()]) {
      const given = order.map((path) => ({ message: 'no', path }));
      app.fault(address, body(JSON.stringify({ data: { a: { x: null, y: 1 }, b: null }, errors: given })));
      expect(await client().query(request())).toMatchObject({ ok: true, unknown: ['a', 'b'] });
    }
  });

  it('that fail in another way are another failure, and those whose words only vary are not', async () => {
    const keyOf = async (message: string, status?: number) => {
      app.fault(address, body(JSON.stringify({ data: null, errors: [{ message }] }), undefined, status));
      const result = await client().query(request());
      return result.ok ? '' : failureKey(result.failure);
    };
    const first = await keyOf('request 17 at 2026-01-01T00:00:00Z: database away');
    expect(await keyOf('request 18 at 2026-01-01T00:00:30Z: database away')).toBe(first);
    expect(await keyOf('request 18 at 2026-01-01T00:00:30Z: not signed in')).not.toBe(first);
    expect(await keyOf('no field a', 400)).not.toBe(await keyOf('no field b', 400));
    expect(await keyOf('no field a', 400)).not.toBe(await keyOf('no field a', 500));
  });

  it('is known but for the fields that failed', async () => {
    app.fault(address, { kind: 'errors', fields: ['health', 'lastError'] });
    expect(await client().query(request())).toEqual({
      ok: true,
      data: { application: { ...healthy.application, health: null, lastError: null } },
      unknown: ['application.health', 'application.lastError'],
      why: expect.stringMatching(/health cannot be read \(and 1 more\)$/),
    });
  });

  it.each([
    ['in a list', '{"data":{"a":[{"b":1},{"b":null}]}}', ['a', 1, 'b'], 'a[1].b'],
    ['above, where the null went up to', '{"data":{"a":{"b":null}}}', ['a', 'b', 'c', 0], 'a.b'],
    ['where nothing is', '{"data":{"a":{}}}', ['a', 'b'], 'a.b'],
  ])('has its unknown path %s', async (_, data, path, unknown) => {
    app.fault(
      address,
      body(
        JSON.stringify({
          ...JSON.parse(data),
          errors: [
            { message: 'no', path },
            { message: 'no', path },
          ],
        }),
      ),
    );
    expect(await client().query(request())).toMatchObject({ ok: true, unknown: [unknown] });
  });
});

describe('retries', () => {
  it.each<[string, Fault]>([
    ['a reset connection', { kind: 'reset' }],
    ['429', { kind: 'status', status: 429 }],
    ['502', { kind: 'status', status: 502 }],
    ['503', { kind: 'status', status: 503 }],
    ['504', { kind: 'status', status: 504 }],
  ])('get over %s, with growing waits', async (_, fault) => {
    app.fault(address, { ...fault, times: 3 });
    expect(await client().query(request({ deadlineMs: 5000 }))).toMatchObject({ ok: true });
    expect(waits).toEqual([200, 400, 800]);
  });

  it('end after as many as allowed', async () => {
    app.fault(address, { kind: 'status', status: 503 });
    const before = app.requests(address);
    expect(await client({ retries: 2 }).query(request({ deadlineMs: 5000 }))).toMatchObject({
      failure: { class: 'HTTPStatus' },
    });
    expect(app.requests(address) - before).toBe(3);
  });

  it.each<[string, Fault]>([
    ['404', { kind: 'status', status: 404 }],
    ['500', { kind: 'status', status: 500 }],
    ['an error of GraphQL', body(errors(1))],
    ['HTML', body('<html>', 'text/html')],
  ])('are not spent on %s', async (_, fault) => {
    app.fault(address, fault);
    const before = app.requests(address);
    await client().query(request());
    expect(app.requests(address) - before).toBe(1);
  });

  it('wait as long as Retry-After says', async () => {
    app.fault(address, { kind: 'status', status: 429, retryAfter: '1', times: 1 });
    expect(await client().query(request())).toMatchObject({ ok: true });
    expect(waits).toEqual([1000]);
  });

  it('leave the endpoint alone when Retry-After outlasts the deadline, also in the next query', async () => {
    let clock = 1_000_000;
    const patient = client({ now: () => clock });
    app.fault(address, { kind: 'status', status: 429, retryAfter: '30', times: 1 });
    const before = app.requests(address);
    expect(await patient.query(request())).toMatchObject({
      failure: { class: 'HTTPStatus', message: expect.stringMatching(/429$/) },
    });
    clock += 10_000;
    expect(await patient.query(request())).toMatchObject({
      failure: { class: 'HTTPStatus', message: expect.stringMatching(/Retry-After/) },
    });
    expect(app.requests(address) - before).toBe(1);
    clock += 21_000;
    expect(await patient.query(request())).toMatchObject({ ok: true });
  });

  it.each([
    [429, 'failing'],
    [503, 'unreachable'],
  ])('take an endpoint that asked for quiet for what it was when it did: %d is %s', async (status, kind) => {
    let clock = 1_000_000;
    const patient = client({ now: () => clock });
    app.fault(address, { kind: 'status', status, retryAfter: '30', times: 1 });
    const first = await patient.query(request());
    clock += 10_000;
    const second = await patient.query(request());
    for (const result of [first, second])
      expect(result).toMatchObject({ failure: { class: 'HTTPStatus', kind, about: String(status) } });
  });

  it.each([
    [429, 'failing'],
    [503, 'unreachable'],
  ])('do not call an endpoint late that used up the time by asking for quiet: %d stays %s', async (status, kind) => {
    app.fault(address, { kind: 'status', status, retryAfter: '1', times: 1 });
    const patient = createGraphql({ http });
    const before = app.requests(address);
    const asking = patient.query(request({ deadlineMs: 1_500 }));
    while (app.requests(address) === before) await nextTurn();
    app.fault(address, { kind: 'hang' });
    expect(await asking).toMatchObject({ failure: { class: 'HTTPStatus', kind } });
    const next = createGraphql({ http });
    app.fault(address, { kind: 'status', status, retryAfter: '1', times: 1 });
    await next.query(request({ deadlineMs: 500 }));
    app.fault(address, { kind: 'hang' });
    expect(await next.query(request({ deadlineMs: 1_500 }))).toMatchObject({ failure: { class: 'HTTPStatus', kind } });
  });

  it('cannot be put off for more than a minute', async () => {
    let clock = 1_000_000;
    const patient = client({ now: () => clock });
    app.fault(address, { kind: 'status', status: 503, retryAfter: '86400', times: 1 });
    await patient.query(request());
    clock += 60_001;
    expect(await patient.query(request())).toMatchObject({ ok: true });
  });

  it('stay inside the deadline', async () => {
    app.fault(address, { kind: 'status', status: 503 });
    const sinceAsked = startStopwatch();
    await createGraphql({ http, backoffMs: 100, retries: 50 }).query(request({ deadlineMs: 400 }));
    expect(sinceAsked.stop()).toBeLessThan(600);
  });

  it('end at once when the query is cancelled', async () => {
    app.fault(address, { kind: 'status', status: 503 });
    const controller = new AbortController();
    const waiting = createGraphql({ http, backoffMs: 60_000 }).query(
      request({ deadlineMs: 600_000, signal: controller.signal }),
    );
    while (app.requests(address) === 0) await nextTurn();
    controller.abort(new Error('cancelled by the worker'));
    await expect(waiting).rejects.toThrow('cancelled by the worker');
  });

  it('stop for an endpoint that stays down, and the first poll after its recovery notices', async () => {
    const breaking = client();
    app.fault(address, { kind: 'status', status: 503 });
    const before = app.requests(address);
    const asked: number[] = [];
    for (let poll = 0; poll < 5; poll++) {
      await breaking.query(request({ deadlineMs: 60_000 }));
      asked.push(app.requests(address) - before);
    }
    expect(asked).toEqual([4, 8, 12, 13, 14]);
    app.fault(address, undefined);
    expect(await breaking.query(request())).toMatchObject({ ok: true });
    app.fault(address, { kind: 'status', status: 503, times: 2 });
    expect(await breaking.query(request({ deadlineMs: 60_000 }))).toMatchObject({ ok: true });
  });
});

describe('a fleet', () => {
  it('is not asked more often per host than allowed', async () => {
    const gentle = client({ rate: { perSecond: 1, burst: 2 }, now: () => 1_000_000 });
    const results = await Promise.all(Array.from({ length: 5 }, () => gentle.query(request({ deadlineMs: 2_500 }))));
    expect(results.map((result) => result.ok || result.failure.class)).toEqual([true, true, true, true, 'Throttled']);
    expect(waits).toEqual([1_000, 2_000]);
  });

  it('that is held back is not late: what did not have its time is not said to have had it', async () => {
    const gentle = createGraphql({ http, rate: { perSecond: 2, burst: 1 } });
    app.fault(address, { kind: 'hang' });
    const [first, second] = await Promise.all([1, 2].map(() => gentle.query(request({ deadlineMs: 800 }))));
    expect(first).toMatchObject({ failure: { class: 'Timeout', kind: 'unreachable' } });
    expect(second).toMatchObject({ failure: { class: 'Throttled', kind: 'unknown' } });
  });

  it('costs less where it hangs: it is waited for in full only now and then', async () => {
    // How long it is waited for, and not how long that took: a busy machine gives a late answer more time.
    const waits: number[] = [];
    const send: Http['send'] = (sent) => {
      waits.push(sent.deadlineMs);
      return http.send(sent);
    };
    const fleet = createGraphql({ http: { send } });
    app.fault(address, { kind: 'hang' });
    for (let poll = 0; poll < 4; poll++) await fleet.query(request({ deadlineMs: 2_400 }));
    expect(waits).toHaveLength(4);
    expect(waits[2]).toBeGreaterThan(2_000);
    expect(waits[3]).toBeLessThanOrEqual(2_000);
  }, 20_000);

  it('has its other half answered as fast when one half hangs', async () => {
    const fleet = createGraphql({ http });
    const well = Array.from({ length: 20 }, (_, i) => `127.22.1.${i + 1}`);
    const hanging = Array.from({ length: 20 }, (_, i) => `127.22.2.${i + 1}`);
    const ask = (host: string, deadlineMs: number, signal?: AbortSignal) =>
      fleet.query(request({ url: app.url(host), deadlineMs, signal }));
    await Promise.all(well.map((host) => ask(host, 5000)));
    for (const host of hanging) app.fault(host, { kind: 'hang' });
    const end = new AbortController();
    const hung = Promise.allSettled(hanging.map((host) => ask(host, 60_000, end.signal)));
    const results = await Promise.all(well.map((host) => ask(host, 5000)));
    expect(results.every(({ ok }) => ok)).toBe(true);
    // They came back while the others still hung: one deadline is not the other's.
    expect(await Promise.race([hung, 'still hanging'])).toBe('still hanging');
    end.abort();
    await hung;
  });

  it('keeps one connection per pod from poll to poll', async () => {
    const pods = Array.from({ length: 10 }, (_, i) => `127.22.3.${i + 1}`);
    const own = await startSampleApp();
    const fleet = createGraphql({ http });
    for (let poll = 0; poll < 5; poll++) {
      await Promise.all(pods.map((host) => fleet.query(request({ url: own.url(host) }))));
      await nextTurn();
    }
    expect(own.connections()).toBe(pods.length);
    await own.close();
  });

  it('shares the signal of its poll without complaint', async () => {
    const warnings: Error[] = [];
    const warn = (warning: Error) => warnings.push(warning);
    process.on('warning', warn);
    const { signal } = new AbortController();
    const fleet = createGraphql({ http });
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => fleet.query(request({ url: app.url(`127.22.4.${i + 1}`), signal }))),
    );
    await nextTurn();
    process.off('warning', warn);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });
});
