import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import {
  createSubscriber,
  type SubscriberOptions,
  type SubscriptionProtocol,
} from '../../src/clients/graphql/subscription/subscriber.ts';
import type { Failure } from '../../src/domain/failure.ts';

/** Says when the health of an instance of the sample application changes. */
export const healthChanges = 'subscription { application { health } }';

/** A subscription that is followed, and what became of it. */
export interface Followed {
  accepted: number;
  heard: number;
  over: Promise<Failure | undefined>;
  end(): void;
}

/** Follows a subscription, 2 s at most until it is accepted. */
export function follow(
  url: string,
  protocol: SubscriptionProtocol,
  {
    deadlineMs = 2_000,
    document = healthChanges,
    ...options
  }: SubscriberOptions & { deadlineMs?: number; document?: string } = {},
): Followed {
  const controller = new AbortController();
  const followed: Followed = {
    accepted: 0,
    heard: 0,
    over: Promise.resolve(undefined),
    end: () => controller.abort(),
  };
  followed.over = createSubscriber(options).follow(
    { protocol, url, document, deadlineMs, signal: controller.signal },
    { accepted: () => void followed.accepted++, heard: () => void followed.heard++ },
  );
  return followed;
}

/** What is to be closed after the tests of a file. */
export const closing: (() => unknown)[] = [];

/** Lets a server listen on loopback until it is closed with the others; its port. */
export async function listening(server: Server | TcpServer | TlsServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}
