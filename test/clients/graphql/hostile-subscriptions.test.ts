import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { closing, follow, listening } from '../../support/follow-subscription.ts';
import { until } from '../../support/until.ts';

afterAll(() => {
  for (const close of closing) close();
});

/** A server of graphql-transport-ws that says what it is told to once a subscription has been asked for. */
async function socketServer(play: (say: (message: unknown) => void, socket: import('ws').WebSocket) => void) {
  const server = createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
  sockets.on('connection', (socket) => {
    const say = (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const { type, id } = JSON.parse(String(data)) as { type: string; id?: string };
      if (type === 'connection_init') say({ type: 'connection_ack' });
      if (type === 'subscribe')
        play((message) => say(typeof message === 'object' ? { id, ...message } : message), socket);
    });
  });
  return `http://127.0.0.1:${await listening(server)}/graphql`;
}

/** A server of graphql-sse that says what it is told to. */
async function streamServer(play: (say: (text: string) => boolean, end: () => void) => void) {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    play(
      (text) => response.write(text),
      () => response.end(),
    );
  });
  closing.push(() => server.closeAllConnections());
  return `http://127.0.0.1:${await listening(server)}/graphql`;
}

describe('a hostile server of graphql-transport-ws', () => {
  it.each([4400, 4401, 4403, 4429])('refuses by the close code %d', async (code) => {
    const url = await socketServer((_, socket) => socket.close(code, 'No'));
    const refusal = { class: 'GraphQLError', kind: 'failing', message: expect.stringContaining(`(${code} No)`) };
    expect(await follow(url, 'graphql-transport-ws').over).toMatchObject(refusal);
  });

  it('ends the subscription by a normal close, and is not asked again at once', async () => {
    let asked = 0;
    const url = await socketServer((_, socket) => {
      asked += 1;
      socket.close(1000);
    });
    expect(await follow(url, 'graphql-transport-ws').over).toMatchObject({ class: 'ConnectFailed' });
    await delay(200);
    expect(asked).toBe(1);
  });

  it('ends the subscription by a message that is too large', async () => {
    const url = await socketServer((say) => say({ type: 'next', payload: { data: 'x'.repeat(2_000) } }));
    const followed = follow(url, 'graphql-transport-ws', { maxBytes: 1_024 });
    expect(await followed.over).toMatchObject({ class: 'TooLarge', message: expect.stringContaining('1024 bytes') });
    expect(followed.heard).toBe(0);
  });

  it.each(['what?', '{"type":"connection_ack"', '[]', '{"type":"nonsense"}'])(
    'breaks the protocol with %s',
    async (text) => {
      const url = await socketServer((say) => say(text));
      expect(await follow(url, 'graphql-transport-ws').over).toMatchObject({ kind: 'failing' });
    },
  );

  it('is read no faster than so much in a second, however much it sends', async () => {
    const url = await socketServer((say) => {
      for (let sent = 0; sent < 20_000; sent++) say({ type: 'next', payload: { data: 'x'.repeat(200) } });
    });
    const followed = follow(url, 'graphql-transport-ws');
    await until('something is heard', () => followed.heard > 0);
    await delay(1_500);
    expect(followed.heard).toBeLessThan(2_000);
    followed.end();
    await followed.over;
  });

  it('is given up when it acknowledges nothing', async () => {
    const server = createServer();
    new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
    const url = `http://127.0.0.1:${await listening(server)}/graphql`;
    expect(await follow(url, 'graphql-transport-ws', { deadlineMs: 200 }).over).toMatchObject({ class: 'Timeout' });
  });

  it('is given up when it answers no ping', async () => {
    const url = await socketServer(() => undefined);
    const followed = follow(url, 'graphql-transport-ws', { pingEveryMs: 50, pongWithinMs: 50 });
    expect(await followed.over).toMatchObject({ class: 'Timeout', message: expect.stringContaining('ping') });
  });
});

describe('a hostile server of graphql-sse', () => {
  const next = (data: unknown) => `event: next\ndata: ${JSON.stringify(data)}\n\n`;

  it.each([
    ['one line', `event: next\ndata: "${'x'.repeat(200_000)}`],
    ['many lines', 'data: xxxxxxxxxxxxxxx\n'.repeat(10_000)],
  ])('ends the subscription by a message that is too large, in %s', async (_, text) => {
    const url = await streamServer((say) => say(text));
    expect(await follow(url, 'graphql-sse', { maxBytes: 65_536 }).over).toMatchObject({ class: 'TooLarge' });
  });

  it('may say as much as it likes in small messages', async () => {
    const url = await streamServer((say) => say(next({ data: 'x'.repeat(1_000) }).repeat(100)));
    const followed = follow(url, 'graphql-sse', { maxBytes: 65_536 });
    await until('all is heard', () => followed.heard === 100);
    followed.end();
    expect(await followed.over).toBeUndefined();
  });

  it.each(['data: 1\n\n', 'event: nonsense\ndata: {}\n\n', 'event: next\ndata: {\n\n'])(
    'breaks the protocol with %j',
    async (text) => {
      const url = await streamServer((say) => say(text));
      expect(await follow(url, 'graphql-sse').over).toMatchObject({ class: 'NotAGraphQLResponse', kind: 'failing' });
    },
  );

  it('refuses by errors in place of data', async () => {
    const url = await streamServer((say) =>
      say(`${next({ errors: [{ message: 'not for you' }] })}event: complete\n\n`),
    );
    const followed = follow(url, 'graphql-sse');
    expect(await followed.over).toMatchObject({ kind: 'failing', message: expect.stringContaining('not for you') });
    expect(followed.heard).toBe(0);
  });

  it('ends the subscription by completing it, or by closing the connection', async () => {
    const completing = await streamServer((say) => say(`${next({ data: {} })}event: complete\n\n`));
    expect(await follow(completing, 'graphql-sse').over).toMatchObject({
      message: expect.stringContaining('completed'),
    });
    const closing = await streamServer((_, end) => end());
    expect(await follow(closing, 'graphql-sse').over).toMatchObject({ message: expect.stringContaining('closed') });
  });

  it('is given up when it says nothing for too long', async () => {
    const url = await streamServer(() => undefined);
    const followed = follow(url, 'graphql-sse', { silenceMs: 1_000 });
    expect(await followed.over).toMatchObject({ class: 'ConnectFailed', message: expect.stringContaining('nothing') });
  });

  it('is read no faster than so much in a second, however much it sends', async () => {
    let written = 0;
    const chunk = next({ data: 'x'.repeat(10) }).repeat(1_000);
    const url = await streamServer((say) => {
      while (written < 100_000_000 && say(chunk)) written += chunk.length;
    });
    const followed = follow(url, 'graphql-sse', { maxBytes: 65_536 });
    await until('something is heard', () => followed.heard > 0);
    await delay(1_500);
    expect(followed.heard).toBeLessThan(20_000);
    followed.end();
    await followed.over;
  });
});
