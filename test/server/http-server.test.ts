import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Hono } from 'hono';
import {
  type Certificate,
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../dev/servers/certificates.ts';
import { json } from '../../src/server/answers.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../src/server/http-server.ts';
import { until } from '../support/until.ts';

const running: HttpServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

const routes = () =>
  new Hono()
    .get('/things', () => json(200, { things: [] }))
    .get('/things/:name', (context) => json(200, { name: context.req.param('name') }))
    .post('/things', async (context) => json(200, { length: (await context.req.text()).length }));

const start = async (options: Partial<HttpServerOptions> = {}): Promise<HttpServer> => {
  const server = await startHttpServer({
    routes: routes(),
    bindAddress: '127.0.0.1',
    port: 0,
    variable: 'KCO_ANY_PORT',
    ...options,
  });
  running.push(server);
  return server;
};

const urlOf = ({ port }: HttpServer, path = '/things'): string => `http://127.0.0.1:${port}${path}`;

/** The words of a server on a bare connection, until it hangs up. */
const conversation = (port: number, words: string): Promise<string> => {
  const socket = connect(port, '127.0.0.1', () => socket.write(words));
  return text(socket);
};

describe('a body', () => {
  /** Both ways of sending one: its length said first, and in chunks. */
  const sent: [string, (body: string) => RequestInit][] = [
    ['with its length', (body) => ({ method: 'POST', body })],
    ['in chunks', (body) => ({ method: 'POST', body: new Blob([body]).stream(), duplex: 'half' }) as RequestInit],
  ];

  it.each(sent)('%s is read up to the cap', async (_, sending) => {
    const server = await start({ maxBodyBytes: 1_000 });
    const response = await fetch(urlOf(server), sending('x'.repeat(1_000)));
    expect([response.status, await response.json()]).toEqual([200, { length: 1_000 }]);
  });

  it.each(sent)('%s that is longer is a 413, and the server goes on', async (_, sending) => {
    const server = await start({ maxBodyBytes: 1_000 });
    const response = await fetch(urlOf(server), sending('x'.repeat(1_001)));
    expect([response.status, await response.json()]).toEqual([413, { error: 'a body may have 1000 bytes' }]);
    expect((await fetch(urlOf(server))).status).toBe(200);
  });

  it('may have 64 KiB where nothing else is said', async () => {
    const server = await start();
    const statusOf = async (bytes: number) =>
      (await fetch(urlOf(server), { method: 'POST', body: 'x'.repeat(bytes) })).status;
    expect([await statusOf(65_536), await statusOf(65_537)]).toEqual([200, 413]);
  });
});

describe('a request that no route answers', () => {
  it.each([
    ['GET', '/nothing', 404, null],
    ['POST', '/nothing', 404, null],
    ['DELETE', '/nothing', 405, 'GET, HEAD, POST'],
    ['DELETE', '/things', 405, 'GET, HEAD, POST'],
    ['POST', '/things/one', 405, 'GET, HEAD'],
  ])('%s %s is %i', async (method, path, status, allow) => {
    const response = await fetch(urlOf(await start(), path), { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as { error: string; endpoints?: string[] };
    expect(body.endpoints).toEqual(status === 404 ? ['/things', '/things/:name'] : undefined);
  });

  it('is 400 in JSON when it cannot be understood', async () => {
    const { port } = await start();
    const words = await conversation(port, 'GET /a\\b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(words).toMatch(/^HTTP\/1.1 400 .*\{"error":/s);
  });
});

describe('a client', () => {
  it('gets the headers of an answer for HEAD, and no body', async () => {
    const response = await fetch(urlOf(await start(), '/things/one'), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '15', '']);
  });

  it('of HTTP/1.0, which says no host, is answered', async () => {
    const { port } = await start();
    expect(await conversation(port, 'GET /things HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('that is slow with its headers is hung up on', async () => {
    const { port } = await start();
    const since = performance.now();
    expect(await conversation(port, 'GET /things HTTP/1.1\r\nHost: x\r\n')).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - since).toBeLessThan(15_000);
  });

  it('that says too much in its headers is refused', async () => {
    const { port } = await start();
    const words = await conversation(port, `GET /things HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(10_000)}\r\n\r\n`);
    expect(words).toMatch(/^HTTP\/1.1 431 /);
  });
});

describe('a server with a certificate', () => {
  let authority: CertificateAuthority;
  beforeAll(async () => {
    authority = await createCertificateAuthority('test');
  });
  const certificateOf = (commonName: string) => authority.issue({ commonName, names: ['127.0.0.1'] });
  let folder: string;
  const write = ({ cert, key }: Certificate): void => {
    writeFileSync(join(folder, 'tls.crt'), cert);
    writeFileSync(join(folder, 'tls.key'), key);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kco-tls-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const errors: unknown[] = [];
  const startTls = (): Promise<HttpServer> => {
    errors.length = 0;
    const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    return start({ tls: { certFile, keyFile, everyMs: 20, onError: (error) => void errors.push(error) } });
  };

  /** Whose certificate a new connection is shown. */
  const shown = ({ port }: HttpServer): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: authority.cert }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      }).once('error', reject);
    });
  const shows = (server: HttpServer, name: string) =>
    until(`the certificate is that of ${name}`, async () => (await shown(server)) === name);

  it('answers under it', async () => {
    write(await certificateOf('first'));
    const { port } = await startTls();
    const body = await new Promise<string>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path: '/things', ca: authority.cert, agent: false as const };
      request(options, (response) => resolve(text(response)))
        .once('error', reject)
        .end();
    });
    expect(body).toBe('{"things":[]}\n');
  });

  it('shows the next connection the one that replaces it', async () => {
    write(await certificateOf('first'));
    const server = await startTls();
    expect(await shown(server)).toBe('first');
    write(await certificateOf('second'));
    await shows(server, 'second');
  });

  it('keeps what it has when the replacement cannot be used, and says so once', async () => {
    const first = await certificateOf('first');
    write(first);
    const server = await startTls();
    // The key of another certificate, as it is between the replacement of one file and that of the other.
    write({ cert: first.cert, key: (await certificateOf('second')).key });
    await until('the trouble is told', () => errors.length > 0);
    write({ cert: 'no certificate', key: first.key });
    await until('the other trouble is told, too', () => errors.length > 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([await shown(server), errors.length]).toEqual(['first', 2]);
    write(await certificateOf('third'));
    await shows(server, 'third');
  });

  it('does not start without one', async () => {
    write({ cert: 'no certificate', key: '' });
    await expect(startTls()).rejects.toThrow();
  });
});
