import type { lookup as systemLookup } from 'node:dns';
import { Agent } from 'undici';
import type { Failure } from '../../../domain/failure.ts';
import { createConnections } from '../../http/connections.ts';
import { type AddressGuard, allowsAllButMetadata } from '../../http/egress-guard.ts';
import type { SubscriptionListener, SubscriptionRequest } from './attempt.ts';
import { followEventStream } from './event-stream.ts';
import { followOverWebSocket } from './web-socket.ts';

export type { SubscriptionListener, SubscriptionProtocol, SubscriptionRequest } from './attempt.ts';

/** Follows GraphQL subscriptions of systems that are not trusted: bounded in size and pace, guarded in where it goes. */
export interface Subscriber {
  /**
   * Follows one subscription until it is over, once: resolves with why, or with undefined when its own signal ended it. Never
   * rejects. Who wants it to go on calls again, after a while.
   */
  follow(request: SubscriptionRequest, listener: SubscriptionListener): Promise<Failure | undefined>;
}

export interface SubscriberOptions {
  /** Decides on every resolved address, and on IP literals. Default: all but cloud metadata. */
  allow?: AddressGuard;
  /** A message beyond this many bytes ends the subscription. Default 1 MiB. */
  maxBytes?: number;
  /** Milliseconds for DNS, TCP and TLS together. Default 10 s; the deadline of the request holds as well. */
  connectTimeoutMs?: number;
  /** Milliseconds after which a WebSocket is pinged, and for how long the pong may take. Default 45 s, and 10 s. */
  pingEveryMs?: number;
  pongWithinMs?: number;
  /** Milliseconds after which a stream of events that says nothing is taken for broken. Default 2 minutes. */
  silenceMs?: number;
  /** Resolves host names. Default: the system's resolver. */
  lookup?: typeof systemLookup;
}

/** What is read of one connection in a second: the messages of a burst, and bytes of one that is as large as it may be. */
const paceOf = (maxBytes: number) => ({ messages: 100, bytes: maxBytes });

export function createSubscriber(options: SubscriberOptions = {}): Subscriber {
  const { allow = allowsAllButMetadata, maxBytes = 1_048_576, connectTimeoutMs = 10_000, lookup } = options;
  const { pingEveryMs = 45_000, pongWithinMs = 10_000, silenceMs = 120_000 } = options;
  const { connector } = createConnections({ allow, connectTimeoutMs, lookup });
  const dispatcher = new Agent({ allowH2: false, connect: connector, headersTimeout: 0, bodyTimeout: silenceMs });
  const bounds = { maxBytes, pace: paceOf(maxBytes) };
  return {
    follow: (request, listener) =>
      request.protocol === 'graphql-sse'
        ? followEventStream(request, listener, { ...bounds, dispatcher })
        : followOverWebSocket(request, listener, { ...bounds, connector, pingEveryMs, pongWithinMs }),
  };
}
