import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Checks } from '../../src/server/checks.ts';
import { ListenError } from '../../src/server/http-server.ts';
import { type ProbeServer, type ProbeServerOptions, startProbeServer } from '../../src/server/probe-server.ts';
import { startStopwatch } from '../support/pace.ts';

const anyPort = { bindAddress: '127.0.0.1', healthPort: 0, metricsPort: 0 };
const running: ProbeServer[] = [];
afterEach(async () => {
  for (const surface of running.splice(0)) await surface.close();
});

const start = async (options: Partial<ProbeServerOptions> = {}): Promise<ProbeServer> => {
  const surface = await startProbeServer({
    config: anyPort,
    metricsText: async () => 'a 1\n',
    health: {},
    readiness: {},
    stats: () => ({ polls: 3 }),
    ...options,
  });
  running.push(surface);
  return surface;
};

const ask = (port: number, path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });

describe.each(['/healthz', '/readyz'] as const)('%s', (path) => {
  const withChecks = (checks: Checks) => start(path === '/healthz' ? { health: checks } : { readiness: checks });

  it('is 200 when every check is well', async () => {
    const surface = await withChecks({ worker: () => ({ ok: true }), temporal: () => ({ ok: true }) });
    const response = await ask(surface.healthPort, path);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'ok',
      failing: [],
      degraded: [],
      checks: { worker: { ok: true }, temporal: { ok: true } },
    });
  });

  it('is 503 and says which check failed and why', async () => {
    const surface = await withChecks({
      worker: () => ({ ok: true }),
      temporal: () => ({ ok: false, message: 'no answer from 127.0.0.1:7233 for 12 s' }),
    });
    const response = await ask(surface.healthPort, path);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'failing',
      failing: ['temporal'],
      degraded: [],
      checks: { worker: { ok: true }, temporal: { ok: false, message: 'no answer from 127.0.0.1:7233 for 12 s' } },
    });
  });

  it('is 200 and says which check is well in part only', async () => {
    const surface = await withChecks({
      worker: () => ({ ok: true }),
      pods: () => ({ ok: true, degraded: true, message: 'b: forbidden' }),
    });
    const response = await ask(surface.healthPort, path);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: 'degraded',
      failing: [],
      degraded: ['pods'],
      checks: { worker: { ok: true }, pods: { ok: true, degraded: true, message: 'b: forbidden' } },
    });
  });

  it('takes a check that throws for a failed one, without what it said', async () => {
    const surface = await withChecks({
      worker: () => {
        throw new RangeError('private');
      },
    });
    const response = await ask(surface.healthPort, path);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      checks: { worker: { ok: false, message: 'the check itself failed: RangeError' } },
    });
  });

  it('looks anew each time', async () => {
    let ok = false;
    const surface = await withChecks({ watch: () => ({ ok }) });
    expect((await ask(surface.healthPort, path)).status).toBe(503);
    ok = true;
    expect((await ask(surface.healthPort, path)).status).toBe(200);
  });
});

describe('being ready', () => {
  it('is another question than being alive', async () => {
    const surface = await start({
      health: { worker: () => ({ ok: true }) },
      readiness: { temporal: () => ({ ok: false }) },
    });
    expect((await ask(surface.healthPort, '/healthz')).status).toBe(200);
    expect((await ask(surface.healthPort, '/readyz')).status).toBe(503);
  });
});

describe('/stats', () => {
  it('is what the process says of itself', async () => {
    const { healthPort } = await start();
    expect(await (await ask(healthPort, '/stats')).json()).toEqual({ polls: 3 });
  });
});

describe('/metrics', () => {
  it('is text that Prometheus reads', async () => {
    const { metricsPort } = await start();
    const response = await ask(metricsPort, '/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('a 1\n');
  });

  it('that cannot be made is a 500, and the server goes on', async () => {
    let broken = true;
    const { metricsPort } = await start({
      metricsText: () => (broken ? Promise.reject(new TypeError('private')) : Promise.resolve('a 1\n')),
    });
    const response = await ask(metricsPort, '/metrics');
    expect([response.status, await response.text()]).toEqual([
      500,
      '{"error":"this answer could not be made: TypeError"}\n',
    ]);
    broken = false;
    expect((await ask(metricsPort, '/metrics')).status).toBe(200);
  });
});

describe('any answer', () => {
  it.each(['/', '/metrics', '/healthz/', '/__proto__', '/constructor'])(
    'to GET %s on the health port is 404 with what there is',
    async (path) => {
      const { healthPort } = await start();
      const response = await ask(healthPort, path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ endpoints: ['/healthz', '/readyz', '/stats'] });
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('to %s is 405', async (method) => {
    const { healthPort } = await start();
    const response = await ask(healthPort, '/healthz', method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('to HEAD has the headers and no body, and a query string changes nothing', async () => {
    const { healthPort } = await start();
    const response = await ask(healthPort, '/healthz?verbose', 'HEAD');
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0);
  });

  it('is neither sniffed nor kept', async () => {
    const { metricsPort } = await start();
    const { headers } = await ask(metricsPort, '/metrics');
    expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual(['nosniff', 'no-store']);
  });
});

describe('a port that is taken', () => {
  it('is said with its variable, and the other server does not stay behind', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const failure = start({ config: { ...anyPort, metricsPort: port } });
    await expect(failure).rejects.toBeInstanceOf(ListenError);
    await expect(failure).rejects.toThrow(`cannot listen on 127.0.0.1:${port} (EADDRINUSE): change KCO_METRICS_PORT`);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('closing', () => {
  it('does not wait for connections that are kept alive, and frees the ports', async () => {
    const surface = await start();
    await (await ask(surface.healthPort, '/healthz')).text();
    const sinceAsked = startStopwatch();
    await surface.close();
    expect(sinceAsked.stop()).toBeLessThan(900);
    await expect(ask(surface.healthPort, '/healthz')).rejects.toThrow();
  });

  it('does not wait for ever for a client that never finishes its request', async () => {
    const surface = await start();
    const socket = connect(surface.healthPort, '127.0.0.1');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await new Promise<void>((resolve) => socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n', () => resolve()));
    await surface.close();
    await gone;
  });
});

describe('docs/observability.md', () => {
  it('describes every endpoint that exists, and none that does not', async () => {
    const { healthPort, metricsPort } = await start();
    const { endpoints } = (await (await ask(healthPort, '/')).json()) as { endpoints: string[] };
    const other = (await (await ask(metricsPort, '/')).json()) as { endpoints: string[] };
    const doc = readFileSync('docs/observability.md', 'utf8');
    const described = doc.match(/(?<=^`)\/\w+(?=`:)|(?<=^`GET :8080)\/\w+/gm) ?? [];
    expect(described.sort()).toEqual([...endpoints, ...other.endpoints].sort());
  });
});
