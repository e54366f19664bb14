import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { errors } from 'undici';
import { type SampleApp, startSampleApp } from '../../../dev/sample-app/app.ts';
import { allowsAllButMetadata, effectiveAddress } from '../../../src/clients/http/egress-guard.ts';
import { connectionFailure } from '../../../src/clients/http/failure.ts';
import { createHttp, type Http, type HttpRequest, type HttpResult } from '../../../src/clients/http/http-client.ts';
import { startUntrustedServer } from '../../support/tls-server.ts';
import { until } from '../../support/until.ts';

const body = JSON.stringify({ query: '{ application { status } }' });
const address = '127.21.0.1';

let app: SampleApp;
let http: Http;
const request = (given: Partial<HttpRequest> = {}): HttpRequest => ({
  url: app.url(address),
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body,
  deadlineMs: 2000,
  ...given,
});

/** A server that says the same bytes to everybody. */
const startRawServer = async (bytes: string): Promise<{ server: Server; url: string; heard(): string }> => {
  let heard = '';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard += data;
      socket.end(bytes);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`, heard: () => heard };
};

const statusOf = (result: HttpResult): unknown => (result.ok ? result.status : result.failure.class);

beforeAll(async () => {
  app = await startSampleApp();
  http = createHttp({ maxBytes: 65_536 });
});
afterEach(() => app.fault(address, undefined));
afterAll(async () => {
  await http.close();
  await app.close();
});

describe('requests to systems that are not trusted', () => {
  it('give the status, the headers and the bytes of the body', async () => {
    const result = await http.send(request());
    expect(result).toMatchObject({ ok: true, status: 200, headers: { 'content-type': 'application/json' } });
    expect(result.ok && result.body.toString()).toBe('{"data":{"application":{"status":"running"}}}');
  });

  it.each([
    ['a status that is not good', { kind: 'status', status: 503 }, 503],
    ['a redirect', { kind: 'redirect', to: 'http://user:pw@127.0.0.1/x?token=s3cr3t' }, 'RedirectRefused'],
    ['a permanent redirect', { kind: 'redirect', to: '/', status: 308 }, 'RedirectRefused'],
    ['a compressed body', { kind: 'gzip' }, 'NotJSON'],
    ['a reset connection', { kind: 'reset' }, 'ConnectFailed'],
    ['a body that is cut off', { kind: 'truncate' }, 'ConnectFailed'],
    ['a body larger than the cap, announced', { kind: 'body', body: 'x'.repeat(70_000) }, 'TooLarge'],
    ['a body larger than the cap, not announced', { kind: 'flood', bytes: 200_000_000 }, 'TooLarge'],
    ['no answer at all', { kind: 'hang' }, 'Timeout'],
    ['an answer that drips', { kind: 'drip', everyMs: 50 }, 'Timeout'],
  ] as const)('report %s', async (_, fault, expected) => {
    app.fault(address, fault);
    expect(statusOf(await http.send(request({ deadlineMs: expected === 'Timeout' ? 200 : 5000 })))).toBe(expected);
  });

  it.each([
    ['http://10.244.0.92/graphql', '10.244.0.92:80/graphql'],
    ['http://10.244.0.92:80/graphql', '10.244.0.92:80/graphql'],
    ['http://10.244.0.92:8080/graphql', '10.244.0.92:8080/graphql'],
    ['https://10.244.0.92/graphql', '10.244.0.92:443/graphql'],
    ['http://[fd00::1]/graphql?token=s3cr3t', '[fd00::1]:80/graphql'],
  ])('tell of a failure of %s with the port that was asked', async (url, told) => {
    const closed = createHttp({ allow: () => false });
    const result = await closed.send(request({ url }));
    await closed.close();
    expect(result.ok ? '' : result.failure.message.split(': ')[0]).toBe(told);
  });

  it('do not follow a redirect, and do not repeat what is in it', async () => {
    app.fault(address, { kind: 'redirect', to: `http://user:pw@127.21.0.9:${app.port}/graphql?token=s3cr3t` });
    const result = await http.send(request());
    expect(JSON.stringify(result)).not.toMatch(/pw|s3cr3t/);
    expect(app.requests('127.21.0.9')).toBe(0);
  });

  it.each([
    ['nobody who listens', () => 'http://127.0.0.1:1/', 'ConnectFailed'],
    ['a name that does not exist', () => 'http://nowhere.invalid/', 'ConnectFailed'],
    ['a file', () => 'file:///etc/passwd', 'EgressDenied'],
    ['userinfo', () => `http://user:s3cr3t@127.0.0.1:${app.port}/`, 'EgressDenied'],
    ['no URL', () => 'not a url', 'EgressDenied'],
    ['a metadata address', () => 'http://169.254.169.254/latest/meta-data/', 'EgressDenied'],
    ['a metadata address in decimal', () => 'http://2852039166/', 'EgressDenied'],
    ['a metadata address mapped into IPv6', () => 'http://[::ffff:169.254.169.254]/', 'EgressDenied'],
  ])('report a URL with %s', async (_, url, expected) => {
    const result = await http.send(request({ url: url() }));
    expect(statusOf(result)).toBe(expected);
    expect(JSON.stringify(result)).not.toContain('s3cr3t');
  });

  it('report an answer that is not HTTP', async () => {
    const raw = await startRawServer('SSH-2.0-OpenSSH_9.6\r\n');
    expect(statusOf(await http.send(request({ url: raw.url })))).toBe('NotHTTP');
    raw.server.close();
  });

  it('ask for an unencoded body', async () => {
    const raw = await startRawServer('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    expect(statusOf(await http.send(request({ url: raw.url })))).toBe(200);
    expect(raw.heard()).toMatch(/^accept-encoding: identity\r$/im);
    raw.server.close();
  });

  it('name the virtual host that they are told', async () => {
    const raw = await startRawServer('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    await http.send(request({ url: raw.url, headers: { host: 'app.example.test' } }));
    expect(raw.heard().match(/^host: .*$/gim)).toEqual(['host: app.example.test']);
    raw.server.close();
  });

  it('cannot have lines smuggled into their headers', async () => {
    const raw = await startRawServer('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    const result = await http.send(request({ url: raw.url, headers: { 'x-a': 'b\r\nx-c: d' } }));
    expect(statusOf(result)).toBe('InvalidRequest');
    expect(raw.heard()).toBe('');
    raw.server.close();
  });

  it('report a certificate that does not verify', async () => {
    const server = await startUntrustedServer();
    const result = await http.send(request({ url: `https://127.0.0.1:${server.port}/` }));
    expect(result).toMatchObject({ ok: false, failure: { class: 'TLSVerifyFailed' } });
    await server.close();
  });

  it('report TLS with a server that speaks none', async () => {
    const result = await http.send(request({ url: `https://127.0.0.1:${app.port}/` }));
    expect(result).toMatchObject({ ok: false, failure: { class: 'TLSVerifyFailed' } });
  });

  it('reject with the reason of their signal, before and while they wait', async () => {
    app.fault(address, { kind: 'hang' });
    const controller = new AbortController();
    const waiting = http.send(request({ deadlineMs: 60_000, signal: controller.signal }));
    controller.abort(new Error('shutting down'));
    await expect(waiting).rejects.toThrow('shutting down');
    await expect(http.send(request({ signal: controller.signal }))).rejects.toThrow('shutting down');
  });

  it('use one connection again and again', async () => {
    const own = await startSampleApp();
    for (let i = 0; i < 20; i++) {
      await http.send(request({ url: own.url(address) }));
      // undici lets a connection rest for one turn of the event loop before it uses it again.
      await nextTurn();
    }
    expect(own.connections()).toBe(1);
    await own.close();
  });

  it('open no more connections to one host than allowed', async () => {
    const own = await startSampleApp();
    const narrow = createHttp({ connectionsPerHost: 2 });
    await Promise.all(Array.from({ length: 12 }, () => narrow.send(request({ url: own.url(address) }))));
    expect(own.requests(address)).toBe(12);
    expect(own.connections()).toBe(2);
    await narrow.close();
    await own.close();
  });
});

/** The sample application in a process of its own, which goes on while this one stands still. */
const startSampleAppProcess = async (): Promise<{ url: string; end(): void }> => {
  const main = join(import.meta.dirname, '..', '..', '..', 'dev', 'sample-app', 'main.ts');
  const child = spawn(process.execPath, ['--no-warnings', main, '--port', '0', '--host', '127.0.0.1']);
  const [said] = await once(child.stdout, 'data');
  const port = /port (\d+)/.exec(String(said))?.[1];
  return { url: `http://127.0.0.1:${port}/graphql`, end: () => void child.kill() };
};

/** A forwarder on the loopback whose new connections go to `to`; those that are open stay where they are. */
const startForwarder = async (to: { port: number }) => {
  const target = { ...to };
  const server = createServer((socket) => {
    const other = connect(target.port, '127.0.0.1');
    for (const end of [socket, other]) end.on('error', () => undefined);
    socket.pipe(other).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { target, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql` };
};

describe('connections', () => {
  it('are not used for ever, so that names and load balancers have a new say', async () => {
    const [old, next] = await Promise.all([startSampleApp(), startSampleApp()]);
    const forwarder = await startForwarder(old);
    const aging = createHttp({ maxAgeMs: 300 });
    const ask = async () => {
      await nextTurn();
      return aging.send(request({ url: forwarder.url }));
    };
    await ask();
    forwarder.target.port = next.port;
    await ask();
    expect([old.requests(), next.requests()]).toEqual([2, 0]);
    await until('the new backend is asked', async () => (await ask()).ok && next.requests() > 0, { timeoutMs: 5_000 });
    const before = old.requests();
    await ask();
    expect(old.requests()).toBe(before);
    expect(old.connections()).toBe(1);
    await aging.close();
    forwarder.server.close();
    await Promise.all([old.close(), next.close()]);
  });

  it('that are old are given up only when what they carry has arrived', async () => {
    const own = await startSampleApp();
    const aging = createHttp({ maxAgeMs: 50 });
    own.fault(address, { kind: 'latency', ms: 300 });
    await aging.send(request({ url: own.url(address) }));
    const slow = aging.send(request({ url: own.url(address) }));
    await delay(100);
    const meanwhile = aging.send(request({ url: own.url(address) }));
    expect(statusOf(await slow)).toBe(200);
    expect(statusOf(await meanwhile)).toBe(200);
    await aging.close();
    await own.close();
  });
});

describe('what is not the fault of whom is asked', () => {
  const kindOf = (result: HttpResult) => (result.ok ? 'answered' : [result.failure.class, result.failure.kind]);

  it('is that all connections to a host are in use by others', async () => {
    const own = await startSampleApp();
    own.fault('*', { kind: 'hang' });
    const narrow = createHttp({ connectionsPerHost: 2 });
    const ask = (deadlineMs: number) => narrow.send(request({ url: own.url(address), deadlineMs }));
    const [first, second, third] = await Promise.all([ask(1_000), ask(1_000), ask(300)]);
    expect(kindOf(first)).toEqual(['Timeout', 'unreachable']);
    expect(kindOf(second)).toEqual(['Timeout', 'unreachable']);
    expect(kindOf(third)).toEqual(['Throttled', 'unknown']);
    expect(own.requests(address)).toBe(2);
    await narrow.close();
    await own.close();
  });

  it('is that most of its time had gone by when it got a connection', async () => {
    const own = await startSampleApp();
    own.fault('*', { kind: 'hang' });
    const narrow = createHttp({ connectionsPerHost: 1 });
    const ask = (deadlineMs: number) => narrow.send(request({ url: own.url(address), deadlineMs }));
    const [first, second] = await Promise.all([ask(400), ask(800)]);
    expect(kindOf(first)).toEqual(['Timeout', 'unreachable']);
    expect(kindOf(second)).toEqual(['Throttled', 'unknown']);
    await narrow.close();
    await own.close();
  });

  it('is that name resolution does not answer, be it for the request or for the connection', async () => {
    const silent = (() => undefined) as never;
    for (const [connectTimeoutMs, deadlineMs] of [
      [10_000, 200],
      [200, 5_000],
    ] as const) {
      const own = createHttp({ lookup: silent, connectTimeoutMs });
      const result = await own.send(request({ url: 'http://app.example.test/graphql', deadlineMs }));
      expect(kindOf(result)).toEqual(['DNSUnavailable', 'unknown']);
      await own.close();
    }
  });

  it('is that the operator itself stood still', async () => {
    app.fault(address, { kind: 'hang' });
    // Half of the time, whatever the time is.
    const stalled = createHttp({ stalls: () => performance.now() / 2 });
    expect(kindOf(await stalled.send(request({ deadlineMs: 400 })))).toEqual(['OperatorTrouble', 'unknown']);
    await stalled.close();
  });

  it('is not taken for it: an answer that came while the operator stood still is an answer', async () => {
    const child = await startSampleAppProcess();
    const own = createHttp();
    const answer = own.send(request({ url: child.url, deadlineMs: 300 }));
    const end = performance.now() + 1_000;
    while (performance.now() < end);
    expect(kindOf(await answer)).toBe('answered');
    await own.close();
    child.end();
  });

  it.each([
    ['nobody listens', () => 'http://127.0.0.1:1/'],
    ['the name does not exist', () => 'http://nowhere.invalid/'],
  ])('is not that %s', async (_, url) => {
    expect(kindOf(await http.send(request({ url: url() })))).toEqual(['ConnectFailed', 'unreachable']);
  });

  it('is not that no connection comes about though one is tried', async () => {
    // It takes the connection and has nothing to say of TLS.
    const silent = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const own = createHttp();
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    expect(kindOf(await own.send(request({ url, deadlineMs: 200 })))).toEqual(['Timeout', 'unreachable']);
    await own.close();
    silent.close();
  });
});

describe('where only the status counts', () => {
  it.each([
    ['compressed', { kind: 'gzip' }],
    ['larger than the cap', { kind: 'flood', bytes: 10_000_000 }],
    ['late', { kind: 'drip', everyMs: 50 }],
    ['cut off', { kind: 'truncate' }],
  ] as const)('a body that is %s does not spoil the answer', async (_, fault) => {
    app.fault(address, fault);
    expect(await http.send(request({ responseBody: 'discard', deadlineMs: 500 }))).toMatchObject({
      ok: true,
      status: 200,
    });
  });
});

describe('the guard', () => {
  const lookupOf = (...addresses: string[]) =>
    ((_: string, __: object, callback: (error: null, found: object[]) => void) =>
      callback(
        null,
        addresses.map((found) => ({ address: found, family: found.includes(':') ? 6 : 4 })),
      )) as never;

  it('resolves a name once and connects to the address that it checked', async () => {
    const asked: string[] = [];
    const guarded = createHttp({ lookup: lookupOf('127.21.0.4'), allow: (found) => asked.push(found) > 0 });
    const before = app.requests('127.21.0.4');
    expect(statusOf(await guarded.send(request({ url: `http://app.example.test:${app.port}/graphql` })))).toBe(200);
    expect(app.requests('127.21.0.4') - before).toBe(1);
    expect(asked).toEqual(['127.21.0.4']);
    await guarded.close();
  });

  it('refuses a name when one of its addresses is refused', async () => {
    const guarded = createHttp({ lookup: lookupOf('127.21.0.4', '169.254.169.254') });
    const result = await guarded.send(request({ url: `http://app.example.test:${app.port}/graphql` }));
    expect(result).toMatchObject({ ok: false, failure: { class: 'EgressDenied' } });
    await guarded.close();
  });

  it.each([
    ['169.254.169.254', false],
    ['fd00:ec2::254', false],
    ['fd00:0ec2:0:0:0:0:0:254', false],
    ['::ffff:a9fe:a9fe', false],
    ['64:ff9b::169.254.169.254', false],
    ['2002:a9fe:a9fe::1', false],
    ['fe80::1%eth0', true],
    ['not an address', false],
    ['10.0.0.1', true],
    ['127.0.0.1', true],
    ['2001:db8::1', true],
  ])('on %s says %s', (found, allowed) => {
    expect(allowsAllButMetadata(found)).toBe(allowed);
  });

  it('sees through IPv6 addresses that carry an IPv4 one', () => {
    expect(['::ffff:10.0.0.1', '64:ff9b::10.0.0.1', '2002:a00:1::'].map(effectiveAddress)).toEqual(
      Array(3).fill('10.0.0.1'),
    );
  });
});

describe('the class of a broken connection', () => {
  it.each([
    ['ECONNREFUSED', 'ConnectFailed'],
    ['UND_ERR_CONNECT_TIMEOUT', 'ConnectFailed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TLSVerifyFailed'],
    ['CERT_HAS_EXPIRED', 'TLSVerifyFailed'],
    ['CERT_SIGNATURE_FAILURE', 'TLSVerifyFailed'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLSVerifyFailed'],
    ['UND_ERR_HEADERS_OVERFLOW', 'TooLarge'],
    ['E_NEVER_HEARD_OF', 'ConnectFailed'],
    ['ENOTFOUND', 'ConnectFailed'],
    ['EAI_AGAIN', 'DNSUnavailable'],
    ['EAI_FAIL', 'DNSUnavailable'],
    ['EPERM', 'OperatorTrouble'],
    ['EMFILE', 'OperatorTrouble'],
    ['ENOBUFS', 'OperatorTrouble'],
    ['EADDRNOTAVAIL', 'OperatorTrouble'],
    ['ENETUNREACH', 'OperatorTrouble'],
    ['UND_ERR_DESTROYED', 'OperatorTrouble'],
    ['UND_ERR_INVALID_ARG', 'InvalidRequest'],
  ])('of %s is %s', (code, expected) => {
    const error = Object.assign(new Error('secret text of the error'), { code });
    expect(connectionFailure(error, 'app.example.test/graphql').class).toBe(expected);
    expect(connectionFailure(new AggregateError([error]), 'app.example.test/graphql').class).toBe(expected);
    expect(connectionFailure(error, 'app.example.test/graphql').message).not.toContain('secret');
  });

  it('of several addresses is that of one which is to blame, if there is one', () => {
    const errorOf = (code: string) => Object.assign(new Error(code), { code });
    const both = ['ENETUNREACH', 'ECONNREFUSED'].map(errorOf);
    // As Node makes it: the code of the first address stands on the whole.
    const error = Object.assign(new AggregateError(both), { code: 'ENETUNREACH' });
    expect(connectionFailure(error, 'app.example.test/graphql')).toMatchObject({
      class: 'ConnectFailed',
      kind: 'unreachable',
      message: 'app.example.test/graphql: connection refused (ECONNREFUSED)',
    });
  });

  it('of a broken connection that says something else than HTTP is not one of the connection', () => {
    const error = new errors.HTTPParserError('secret text of the error');
    expect(connectionFailure(error, 'app.example.test/')).toMatchObject({ class: 'NotHTTP', kind: 'failing' });
  });

  it('without a code is trouble of the operator', () => {
    expect(connectionFailure(new Error('x'), 'app.example.test/')).toMatchObject({
      class: 'OperatorTrouble',
      kind: 'unknown',
    });
  });
});
