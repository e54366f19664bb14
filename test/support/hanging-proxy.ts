import { once } from 'node:events';
import { createServer, request as plainRequest } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Something in front of an API server that lets some requests hang. */
export interface HangingProxy {
  url: string;
  /** Requests whose path has these words get no answer; those that are under way end as they would have. Undefined: none. */
  hangs: string | undefined;
  close(): Promise<void>;
}

/** Starts it on loopback, without TLS; it hands everything on as it comes. */
export async function startHangingProxy(apiServer: string, ca: string): Promise<HangingProxy> {
  const target = new URL(apiServer);
  const server = createServer((incoming, response) => {
    const { url = '', method, headers } = incoming;
    if (proxy.hangs !== undefined && url.includes(proxy.hangs)) return;
    const send = target.protocol === 'https:' ? request : plainRequest;
    const outgoing = send(
      new URL(url, target),
      { method, headers: { ...headers, host: target.host }, ca },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: HangingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangs: undefined,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return proxy;
}
