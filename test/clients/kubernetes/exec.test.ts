import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createKube, type Kube } from '../../../src/clients/kubernetes/client.ts';
import { createOutput, maxOutputBytes } from '../../../src/clients/kubernetes/exec.ts';
import {
  acceptWebSocket,
  channelFrame,
  closeFrame,
  type FakeApiServer,
  startFakeApiServer,
  status,
} from '../../support/fake-api-server.ts';

let api: FakeApiServer | undefined;
let kube: Kube;

afterEach(async () => {
  await kube.close();
  await api?.close();
  api = undefined;
});

type Session = (socket: Duplex) => void;

/** A server that accepts every exec and then does what the session says. */
const connect = async (session: Session, accepts = true) => {
  api = await startFakeApiServer({
    answer: status(404, 'NotFound', { name: 'web-0' }),
    upgrade: (socket, request) => {
      socket.on('error', () => undefined);
      if (accepts) acceptWebSocket(socket, request);
      session(socket);
    },
  });
  kube = createKube({ kubeconfig: api.kubeconfig, version: '1.2.3' });
};

const request = { namespace: 'shop', pod: 'web-0', container: 'main', command: ['ls', '-l', 'a b&c'], timeoutMs: 5000 };
const ended = (socket: Duplex, said: object) => {
  // The connection stays open: the status is the end, not the closing.
  socket.write(channelFrame(3, JSON.stringify(said)));
};
const exitCode = (code: string) => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: code }] },
});

describe('exec', () => {
  it('sends argv as it is and collects both streams in order', async () => {
    await connect((socket) => {
      socket.write(channelFrame(1, 'one '));
      socket.write(channelFrame(2, 'two '));
      socket.write(channelFrame(1, 'three'));
      ended(socket, { status: 'Success' });
    });
    await expect(kube.exec(request)).resolves.toEqual({ result: 'exited', code: 0, output: 'one two three' });
    const asked = api?.requests[0];
    expect(asked?.url.pathname).toBe('/api/v1/namespaces/shop/pods/web-0/exec');
    expect(asked?.url.searchParams.getAll('command')).toEqual(['ls', '-l', 'a b&c']);
    expect(asked?.url.searchParams.get('container')).toBe('main');
    expect(asked?.headers['user-agent']).toBe('kco/1.2.3');
  });

  it('reports the exit code', async () => {
    await connect((socket) => ended(socket, exitCode('42')));
    await expect(kube.exec(request)).resolves.toMatchObject({ result: 'exited', code: 42 });
  });

  it('does not make an exit code of an error without one', async () => {
    await connect((socket) => ended(socket, { status: 'Failure', reason: 'InternalError', message: 'exit status 3' }));
    await expect(kube.exec(request)).resolves.toEqual({
      result: 'error',
      reason: 'InternalError',
      message: 'exit status 3',
      output: '',
    });
  });

  it('keeps what arrived when the connection is lost, and calls the outcome unknown', async () => {
    await connect((socket) => socket.end(channelFrame(1, 'half')));
    await expect(kube.exec(request)).resolves.toMatchObject({
      result: 'unknown',
      reason: 'ConnectionLost',
      output: 'half',
    });
  });

  it('calls the outcome unknown when the connection is lost before the handshake was answered', async () => {
    await connect((socket) => socket.destroy(), false);
    await expect(kube.exec(request)).resolves.toMatchObject({ result: 'unknown', reason: 'ConnectionLost' });
  });

  it('calls the outcome unknown when the server closes the session without a status', async () => {
    await connect((socket) => socket.end(closeFrame));
    await expect(kube.exec(request)).resolves.toMatchObject({ result: 'unknown', reason: 'ConnectionLost' });
  });

  it('calls the outcome unknown when the time is up', async () => {
    await connect((socket) => socket.write(channelFrame(1, 'begun')));
    await expect(kube.exec({ ...request, timeoutMs: 3_000 })).resolves.toMatchObject({
      result: 'unknown',
      reason: 'Timeout',
      output: 'begun',
    });
  });

  it('leaves no connection behind when the other side has gone silent', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await connect((socket) => socket.on('end', resolve));
    await kube.exec({ ...request, timeoutMs: 100 });
    await closed;
  });

  it('calls the outcome unknown when it is aborted during the command', async () => {
    const abort = new AbortController();
    await connect(() => abort.abort());
    await expect(kube.exec({ ...request, signal: abort.signal })).resolves.toMatchObject({
      result: 'unknown',
      reason: 'Aborted',
    });
  });

  it('sends nothing when it is aborted before', async () => {
    await connect(() => undefined);
    const result = await kube.exec({ ...request, signal: AbortSignal.abort() });
    expect(result).toMatchObject({ result: 'neverSent', error: { reason: 'Aborted' } });
    expect(api?.requests).toEqual([]);
  });

  it.each([
    ['400', 'neverSent'],
    ['403', 'neverSent'],
    ['404', 'neverSent'],
    ['429', 'neverSent'],
    ['502', 'unknown'],
    ['504', 'unknown'],
  ])('takes a handshake refused with %s as %s', async (code, result) => {
    await connect(
      (socket) => socket.end(`HTTP/1.1 ${code} Refused\r\ncontent-length: 2\r\nretry-after: 7\r\n\r\n{}`),
      false,
    );
    const answer = await kube.exec(request);
    expect(answer).toMatchObject({ result });
    if (answer.result === 'neverSent') expect(answer.error).toMatchObject({ status: Number(code), retryAfterMs: 7000 });
  });

  it('knows that nothing was sent when nobody listens', async () => {
    await connect(() => undefined);
    await api?.close();
    api = undefined;
    await expect(kube.exec(request)).resolves.toMatchObject({
      result: 'neverSent',
      error: { reason: 'ConnectFailed' },
    });
  });

  it.each([
    ['namespace', '../kube-system'],
    ['namespace', 'a.b'],
    ['pod', 'web-0/../other'],
    ['pod', 'web%2f0'],
    ['pod', 'Web'],
    ['pod', ''],
    ['container', 'main?x=1'],
    ['container', 'a.b'],
  ])('refuses a %s called %j before anything is sent', async (part, name) => {
    await connect(() => undefined);
    const result = await kube.exec({ ...request, [part]: name });
    expect(result).toMatchObject({ result: 'neverSent', error: { reason: 'InvalidName' } });
    expect(api?.requests).toEqual([]);
  });

  it('puts a status together that arrives in pieces', async () => {
    await connect((socket) => {
      const said = JSON.stringify(exitCode('7'));
      socket.write(channelFrame(3, said.slice(0, 20)));
      socket.write(channelFrame(3, said.slice(20)));
    });
    await expect(kube.exec(request)).resolves.toMatchObject({ result: 'exited', code: 7 });
  });
});

describe('the kept output', () => {
  const collect = (...chunks: (string | Buffer)[]) => {
    const output = createOutput();
    for (const chunk of chunks) output.add(Buffer.from(chunk));
    return output.text();
  };

  it('is whole up to 16 KiB', () => {
    expect(collect('x'.repeat(maxOutputBytes))).toBe('x'.repeat(maxOutputBytes));
  });

  it.each([
    ['one byte more', ['x'.repeat(maxOutputBytes), 'y']],
    ['one large chunk', ['x'.repeat(1_000_000)]],
    ['two-byte characters', ['é'.repeat(maxOutputBytes)]],
    ['four-byte characters', ['a', '😀'.repeat(maxOutputBytes)]],
    ['bytes that are no UTF-8', [Buffer.alloc(maxOutputBytes, 0xff)]],
  ])('is cut to its head and says so, within 16 KiB: %s', (_, chunks) => {
    const text = collect(...chunks);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxOutputBytes);
    expect(text.endsWith('\n[output was cut]')).toBe(true);
    expect(text.isWellFormed()).toBe(true);
  });
});
