import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SampleApp, startSampleApp } from '../../dev/sample-app/app.ts';

let app: SampleApp;
const ask = async (url: string, query: string): Promise<unknown> => {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ query }) });
  return response.json();
};
const health = '{ application { health } }';
const saying = (word: string) => ({ data: { application: { health: word } } });

beforeAll(async () => {
  app = await startSampleApp();
});
afterAll(() => app.close());

describe('the sample application', () => {
  it('is another instance on each address', async () => {
    expect(await ask(app.url('127.23.0.1'), 'mutation { setHealth(health: "unhealthy") { health } }')).toEqual({
      data: { setHealth: { health: 'unhealthy' } },
    });
    expect(await ask(app.url('127.23.0.1'), health)).toEqual(saying('unhealthy'));
    expect(await ask(app.url('127.23.0.2'), health)).toEqual(saying('healthy'));
  });

  it('starts fresh where an instance was forgotten', async () => {
    app.setState('127.23.0.3', { health: 'degraded' });
    expect(await ask(app.url('127.23.0.3'), health)).toEqual(saying('degraded'));
    app.forget('127.23.0.3');
    expect(await ask(app.url('127.23.0.3'), health)).toEqual(saying('healthy'));
  });

  it('counts what it was asked', async () => {
    await ask(app.url('127.23.0.4'), health);
    await ask(app.url('127.23.0.4'), health);
    expect(app.requests('127.23.0.4')).toBe(2);
  });

  it('refuses a query that its schema does not know', async () => {
    expect(await ask(app.url('127.23.0.5'), '{ application { mood } }')).toMatchObject({
      errors: [{ message: expect.stringContaining('Cannot query field "mood"') }],
    });
  });

  it('is alive while unhealthy, but not ready', async () => {
    app.setState('127.23.0.6', { health: 'unhealthy' });
    const probe = async (path: string) => (await fetch(`http://127.23.0.6:${app.port}${path}`)).status;
    expect([await probe('/healthz'), await probe('/readyz'), await probe('/')]).toEqual([200, 503, 404]);
  });

  it('changes all instances at once, also those to come', async () => {
    const own = await startSampleApp();
    await ask(own.url('127.23.1.1'), health);
    own.setState('*', { health: 'down' });
    expect(await ask(own.url('127.23.1.1'), health)).toEqual(saying('down'));
    expect(await ask(own.url('127.23.1.2'), health)).toEqual(saying('down'));
    await own.close();
  });

  it('is one instance on all addresses when it is a pod of its own', async () => {
    const pod = await startSampleApp({ single: true });
    await ask(pod.url('127.23.2.1'), 'mutation { setHealth(health: "unhealthy") { health } }');
    expect(await ask(pod.url('127.23.2.2'), health)).toEqual(saying('unhealthy'));
    await pod.close();
  });

  it('misbehaves for as many requests as it was told', async () => {
    app.fault('127.23.0.7', { kind: 'status', status: 503, times: 2 });
    const status = async () => (await fetch(app.url('127.23.0.7'), { method: 'POST', body: '{}' })).status;
    expect([await status(), await status(), await status()]).toEqual([503, 503, 400]);
  });
});
