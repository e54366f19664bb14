import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP server that answers as an API server could, in ways that a real one cannot be brought to. */
export interface FakeApiServer {
  /** Path of a kubeconfig for it. */
  kubeconfig: string;
  port: number;
  /** What was asked, in order. */
  requests: { method: string; url: URL; headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

export interface FakeApiServerOptions {
  answer: Answer;
  upgrade?(socket: Duplex, request: IncomingMessage): void;
  /** The `user` of the kubeconfig. */
  user?: object;
}

/** JSON with a status; a `Status` object is all that errors need. */
export const json =
  (body: object, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

/** An error as the API server words it. */
export const status = (
  code: number,
  reason: string,
  details: object = {},
  headers: Record<string, string> = {},
): Answer =>
  json(
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `fake ${reason}`, details },
    code,
    headers,
  );

const kubeconfigOf = (server: string, user: object) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'fake', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'fake', user }],
  contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
  'current-context': 'fake',
});

/** Starts one on a free loopback port. */
export const startFakeApiServer = async ({
  answer,
  upgrade,
  user = {},
}: FakeApiServerOptions): Promise<FakeApiServer> => {
  const requests: FakeApiServer['requests'] = [];
  const sockets = new Set<Duplex>();
  const note = (request: IncomingMessage) =>
    requests.push({
      method: request.method ?? '',
      url: new URL(request.url ?? '', 'http://fake'),
      headers: request.headers,
    });
  const server = createServer((request, response) => {
    note(request);
    answer(response, request);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (request, socket) => {
    note(request);
    // Without a reader the other side's end would go unnoticed.
    socket.resume();
    upgrade?.(socket, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const directory = mkdtempSync(join(tmpdir(), 'kco-fake-api-'));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(kubeconfigOf(`http://127.0.0.1:${port}`, user)));
  return {
    kubeconfig,
    port,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      rmSync(directory, { recursive: true });
    },
  };
};

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Answers the handshake of a WebSocket as the API server does for exec. */
export const acceptWebSocket = (socket: Duplex, request: IncomingMessage, protocol = 'v5.channel.k8s.io'): void => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${guid}`).digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write(
    `${[...head, `Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${protocol}`].join('\r\n')}\r\n\r\n`,
  );
};

/** One binary message on a channel of the exec protocol: 1 stdout, 2 stderr, 3 status. */
export const channelFrame = (channel: number, data: string | Buffer): Buffer => {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(data)]);
  const header = Buffer.alloc(payload.length < 126 ? 2 : 4);
  header[0] = 0x82;
  header[1] = Math.min(payload.length, 126);
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
};

/** Ends a WebSocket from the server's side. */
export const closeFrame = Buffer.from([0x88, 0x02, 0x03, 0xe8]);
