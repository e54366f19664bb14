import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A proxy on loopback that counts the connections that it made. */
export interface ProxyUnderTest {
  url: string;
  readonly connections: number;
  close(): Promise<void>;
}

/** Lets two ends of a connection speak with each other. */
export const join = (one: Duplex, other: Duplex): void => {
  one.pipe(other).pipe(one);
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const)
    socket.on('error', () => peer.destroy()).on('close', () => peer.destroy());
};

/** Answers CONNECT. */
export async function startHttpProxy(): Promise<ProxyUnderTest> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createHttpServer();
  server.on('connection', (socket) => sockets.add(socket));
  server.on('connect', (request, socket: Socket) => {
    connections += 1;
    const [host, port] = (request.url ?? '').split(':');
    const target = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      join(socket, target);
    });
    sockets.add(target);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** SOCKS 5 without authentication, for IPv4 addresses. */
export async function startSocksProxy(): Promise<ProxyUnderTest> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer(async (socket) => {
    sockets.add(socket);
    await once(socket, 'data');
    socket.write(Buffer.from([5, 0]));
    const [request] = (await once(socket, 'data')) as [Buffer];
    connections += 1;
    const target = connect(request.readUInt16BE(8), [...request.subarray(4, 8)].join('.'), () => {
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      join(socket, target);
    });
    sockets.add(target);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `socks5://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
