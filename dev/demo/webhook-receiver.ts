import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { EventLog } from './event-log.ts';

/** Where the webhooks of the demo go. */
export interface WebhookReceiver {
  url: string;
  close(): void;
}

/** Listens on a free port; every request is a log entry and is answered with 204. */
export async function startWebhookReceiver({ record }: EventLog): Promise<WebhookReceiver> {
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => '');
    record({ kind: 'webhook', key: String(request.headers['idempotency-key'] ?? ''), body });
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
