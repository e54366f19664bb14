import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SampleApp, startSampleApp } from '../../../dev/sample-app/app.ts';
import { createFleet, type Fleet } from '../../../dev/sample-app/fleet.ts';
import { offerSubscriptions } from '../../../dev/sample-app/subscriptions.ts';
import type { SubscriberOptions, SubscriptionProtocol } from '../../../src/clients/graphql/subscription/subscriber.ts';
import { closing, follow, listening } from '../../support/follow-subscription.ts';
import { cert, key } from '../../support/tls-server.ts';
import { until } from '../../support/until.ts';

const protocols: SubscriptionProtocol[] = ['graphql-transport-ws', 'graphql-sse'];

let app: SampleApp;
beforeAll(async () => {
  app = await startSampleApp();
});
afterAll(async () => {
  for (const close of closing) close();
  await app.close();
});

describe.each(protocols)('a subscription over %s, at a real server', (protocol) => {
  const address = protocol === 'graphql-sse' ? '127.31.0.1' : '127.31.0.2';

  it('is accepted, hears each change, and ends at the server when it is not wanted any more', async () => {
    const followed = follow(app.url(address), protocol);
    await until('it is open', () => app.subscriptions.open(address) === 1 && followed.accepted === 1);
    app.setState(address, { health: 'unhealthy' });
    await until('the change is heard', () => followed.heard === 1);
    app.setState(address, { health: 'healthy' });
    await until('the change back is heard', () => followed.heard === 2);
    followed.end();
    expect(await followed.over).toBeUndefined();
    await until('the server is rid of it', () => app.subscriptions.open(address) === 0);
  });

  it('is over when the connection breaks', async () => {
    const followed = follow(app.url(address), protocol);
    await until('it is open', () => app.subscriptions.open(address) === 1);
    app.subscriptions.drop();
    expect(await followed.over).toMatchObject({ class: 'ConnectFailed', kind: 'unreachable' });
  });

  it('is refused, in the words of the server, when its document is wrong', async () => {
    const followed = follow(app.url(address), protocol, { document: 'subscription { mood }' });
    expect(await followed.over).toMatchObject({
      kind: 'failing',
      message: expect.stringContaining('Cannot query field "mood" on type "Subscription"'),
    });
  });

  it('fails where nothing listens', async () => {
    const server = createServer();
    const port = await listening(server);
    server.close();
    const followed = follow(`http://127.0.0.1:${port}/graphql`, protocol);
    expect(await followed.over).toMatchObject({ class: 'ConnectFailed', message: expect.stringContaining('refused') });
  });

  it('goes nowhere that the guard refuses, by name and by address', async () => {
    const allow = (to: string) => to !== '127.0.0.1' && to !== '::1';
    for (const host of ['127.0.0.1', 'localhost']) {
      const before = app.connections();
      const followed = follow(`http://${host}:${app.port}/graphql`, protocol, { allow });
      expect(await followed.over).toMatchObject({ class: 'EgressDenied' });
      expect(app.connections()).toBe(before);
    }
  });

  it.each([401, 403, 404, 500])('is refused by the status %d', async (status) => {
    const server = createServer((_, response) => response.writeHead(status).end('no'));
    const followed = follow(`http://127.0.0.1:${await listening(server)}/graphql`, protocol);
    const refusal = { class: 'HTTPStatus', kind: 'failing', message: expect.stringContaining(`answered ${status}`) };
    expect(await followed.over).toMatchObject(refusal);
  });

  it('follows no redirect', async () => {
    const server = createServer((_, response) => response.writeHead(302, { location: app.url(address) }).end());
    const followed = follow(`http://127.0.0.1:${await listening(server)}/graphql`, protocol);
    expect(await followed.over).toMatchObject({ message: expect.stringContaining('answered 302') });
    expect(app.subscriptions.open(address)).toBe(0);
  });

  it('is given up at a server that takes the connection and never answers', async () => {
    const port = await listening(createTcpServer((socket) => socket.on('error', () => undefined)));
    const followed = follow(`http://127.0.0.1:${port}/graphql`, protocol, { deadlineMs: 200 });
    expect(await followed.over).toMatchObject({ class: 'Timeout' });
  });

  it('is refused by a server that answers, and does not speak the protocol', async () => {
    const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'));
    const followed = follow(`http://127.0.0.1:${await listening(server)}/graphql`, protocol);
    expect(await followed.over).toMatchObject({ kind: 'failing' });
  });

  it('is refused by a server that does not speak HTTP', async () => {
    const port = await listening(createTcpServer((socket) => socket.on('error', () => undefined).end('220 hello\r\n')));
    const followed = follow(`http://127.0.0.1:${port}/graphql`, protocol);
    expect(await followed.over).toMatchObject({ class: 'NotHTTP', kind: 'failing' });
  });
});

describe.each(protocols)('a subscription over %s and TLS', (protocol) => {
  const lookup = ((_: string, __: object, done: (error: null, addresses: object[]) => void) =>
    done(null, [{ address: '127.0.0.1', family: 4 }])) as unknown as SubscriberOptions['lookup'];

  async function secured(): Promise<{ port: number; fleet: Fleet; open(): number }> {
    const fleet = createFleet(true);
    const server = createSecureServer({ key, cert }, (request, response) => void offered.stream(request, response));
    server.on('tlsClientError', () => undefined);
    const offered = offerSubscriptions(server, fleet);
    closing.push(() => offered.drop());
    return { port: await listening(server), fleet, open: offered.open };
  }

  it('is heard from a server whose certificate is trusted and for its name', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, cert]);
    try {
      const { port, fleet, open } = await secured();
      const followed = follow(`https://other.example.test:${port}/graphql`, protocol, { lookup });
      await until('it is open', () => open() === 1);
      fleet.setState('self', { health: 'unhealthy' });
      await until('the change is heard', () => followed.heard === 1);
      followed.end();
      expect(await followed.over).toBeUndefined();
      const misnamed = follow(`https://app.example.test:${port}/graphql`, protocol, { lookup });
      expect(await misnamed.over).toMatchObject({ class: 'TLSVerifyFailed' });
    } finally {
      setDefaultCACertificates(before);
    }
  });

  it('fails at a server that nobody has a reason to trust', async () => {
    const { port, open } = await secured();
    const followed = follow(`https://other.example.test:${port}/graphql`, protocol, { lookup });
    expect(await followed.over).toMatchObject({ class: 'TLSVerifyFailed' });
    expect(open()).toBe(0);
  });

  it('goes nowhere when its name also leads to where the guard refuses', async () => {
    const { port } = await secured();
    const both = ((_: string, __: object, done: (error: null, addresses: object[]) => void) =>
      done(
        null,
        ['127.0.0.1', '169.254.169.254'].map((address) => ({ address, family: 4 })),
      )) as unknown as typeof lookup;
    const followed = follow(`https://other.example.test:${port}/graphql`, protocol, { lookup: both });
    expect(await followed.over).toMatchObject({ class: 'EgressDenied' });
  });
});
