import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as plainRequest,
  type ServerResponse,
} from 'node:http';
import { request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { join } from './proxies.ts';

/** A request as it came to the proxy. */
export interface ApiCall {
  method: string;
  /** With the query. */
  path: string;
  /** Of a request that changes something; empty for the others. */
  body: string;
}

/**
 * What becomes of a call. Kept is its `request`, of which the API server never hears unless `late` says so when it is settled, or its
 * `answer`, of which the client never hears; `answered` is called when the API server has given it.
 */
export type Fate = 'pass' | { keeps: 'request'; late?: Promise<boolean> } | { keeps: 'answer'; answered?(): void };

/** Something in front of an API server that comes between it and its client. */
export interface ApiProxy {
  url: string;
  close(): Promise<void>;
}

const bodyOf = async (incoming: IncomingMessage): Promise<Buffer> => Buffer.concat(await incoming.toArray());

/** The status line and headers of an answer, as they go over the connection. */
const headOf = ({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string => {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2).join(': '));
  return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...pairs, '', ''].join('\r\n');
};

const callOf = ({ method = '', url: path = '' }: IncomingMessage, body = ''): ApiCall => ({ method, path, body });

/** Whether the API server is to hear of a call. */
const isSent = async (fate: Fate): Promise<boolean> =>
  fate === 'pass' || fate.keeps === 'answer' || (await fate.late) === true;

/** What hands calls on to one API server. */
interface Handing {
  fateOf(call: ApiCall): Fate;
  /** Begins the same request there. */
  begin(incoming: IncomingMessage): ClientRequest;
}

async function handOn({ fateOf, begin }: Handing, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = incoming.method === 'GET' ? undefined : await bodyOf(incoming);
  const fate = fateOf(callOf(incoming, body?.toString()));
  if (!(await isSent(fate))) return;
  const outgoing = begin(incoming);
  outgoing.on('error', () => response.destroy()).end(body);
  if (fate === 'pass') response.on('close', () => outgoing.destroy());
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  if (fate === 'pass') {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    return;
  }
  await bodyOf(answer);
  if (fate.keeps === 'answer') fate.answered?.();
}

/** Of a connection that is to speak another protocol from then on. */
async function handOver({ fateOf, begin }: Handing, incoming: IncomingMessage, client: Duplex): Promise<void> {
  const fate = fateOf(callOf(incoming));
  if (!(await isSent(fate))) return;
  const outgoing = begin(incoming);
  outgoing.on('error', () => client.destroy()).end();
  outgoing.on('response', (refusal) => {
    client.write(headOf(refusal));
    refusal.pipe(client);
  });
  const [answer, upstream, first] = (await once(outgoing, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
  if (fate === 'pass') {
    client.write(headOf(answer));
    client.write(first);
    join(client, upstream);
    return;
  }
  upstream.on('error', () => upstream.destroy()).resume();
  if (fate.keeps === 'answer') fate.answered?.();
}

/** Starts it on loopback, without TLS; what `fateOf` lets pass is handed on as it comes. */
export async function startApiProxy(apiServer: string, ca: string, fateOf: Handing['fateOf']): Promise<ApiProxy> {
  const target = new URL(apiServer);
  const send = target.protocol === 'https:' ? request : plainRequest;
  const begin = ({ method, url = '', headers }: IncomingMessage): ClientRequest =>
    send(new URL(url, target), { method, headers: { ...headers, host: target.host }, ca });
  const handing = { fateOf, begin };
  const server = createServer((incoming, response) => {
    handOn(handing, incoming, response).catch(() => response.destroy());
  });
  server.on('upgrade', (incoming: IncomingMessage, client: Duplex) => {
    client.on('error', () => client.destroy());
    handOver(handing, incoming, client).catch(() => client.destroy());
  });
  // An upgraded connection is not the server's any more.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
