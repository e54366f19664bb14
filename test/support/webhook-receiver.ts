import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that reached the receiver. */
export interface Delivery {
  /** Epoch milliseconds of its arrival. */
  at: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Somebody who is called, remembers every request, and answers as it is told. */
export interface WebhookReceiver {
  url(path: string): string;
  /** The requests for a path, by default all, in the order of their arrival. */
  deliveries(path?: string): Delivery[];
  /** The statuses of the next requests for a path; afterwards 200 again. */
  answer(path: string, ...statuses: number[]): void;
  /** From now on requests for the path are to come again after so many seconds, each time; undefined: they are taken. */
  putOff(path: string, seconds: number | undefined): void;
  /** Requests for the path are not answered until the returned function is called; `arrived` is called at each of them. */
  hold(path: string, arrived?: () => void): () => void;
  close(): Promise<void>;
}

/** The body of every answer. */
export const receiverWords = 'what-the-receiver-says-of-itself';

async function textOf(request: AsyncIterable<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Starts a receiver on a free loopback port. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const ledger: Delivery[] = [];
  const statuses = new Map<string, number[]>();
  const held = new Map<string, { until: Promise<void>; arrived?(): void }>();
  const putOff = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    // A caller that is killed in the middle has still called.
    const body = await textOf(request).catch(() => '(cut off)');
    ledger.push({ at: Date.now(), method, path, headers, body });
    const hold = held.get(path);
    hold?.arrived?.();
    await hold?.until;
    const seconds = putOff.get(path);
    if (seconds !== undefined) response.writeHead(429, { 'retry-after': String(seconds) }).end();
    else response.writeHead(statuses.get(path)?.shift() ?? 200).end(receiverWords);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    deliveries: (path) => ledger.filter((delivery) => path === undefined || delivery.path === path),
    answer: (path, ...next) => void statuses.set(path, next),
    putOff: (path, seconds) => void (seconds === undefined ? putOff.delete(path) : putOff.set(path, seconds)),
    hold(path, arrived) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(path, { until: promise, arrived });
      return () => {
        held.delete(path);
        resolve();
      };
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
