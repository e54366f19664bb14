import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import type { Response } from 'graphql-sse';
import { createHandler } from 'graphql-sse/lib/use/http';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import type { Fleet } from './fleet.ts';
import { documentOf, schema } from './schema.ts';

/** Subscriptions of the instances, over WebSocket (graphql-transport-ws) and as a stream of events (graphql-sse). */
export interface SampleSubscriptions {
  /** Whether a request asks for a stream of events. */
  isAsked(request: IncomingMessage): boolean;
  stream(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Subscriptions of an address that are open; without one, all. */
  open(address?: string): number;
  /** Every subscription so far. */
  begun(): number;
  /** Breaks all connections over which there are subscriptions. */
  drop(): void;
  close(): void;
}

const addressOf = (request: IncomingMessage): string => (request.socket.localAddress ?? '').replace(/^::ffff:/, '');

type Prepared = ExecutionArgs & { contextValue: undefined };

/** Offers subscriptions on a server. */
export function offerSubscriptions(server: Server | TlsServer, fleet: Fleet): SampleSubscriptions {
  const underWay: { address: string; request: IncomingMessage }[] = [];
  let begun = 0;

  async function* states(request: IncomingMessage): AsyncGenerator<object> {
    const address = addressOf(request);
    const entry = { address, request };
    underWay.push(entry);
    begun += 1;
    const gone = new AbortController();
    // A generator that waits cannot be returned, so what ends its wait is the end of the connection.
    request.socket.once('close', () => gone.abort());
    try {
      for await (const _ of fleet.changesOf(address, gone.signal)) yield { application: fleet.stateOf(address) };
    } finally {
      underWay.splice(underWay.indexOf(entry), 1);
    }
  }

  /** What is executed for a subscription, or why nothing is. */
  const prepare = (query: unknown, variables: unknown, request: IncomingMessage): Prepared | GraphQLError[] => {
    const document = documentOf(typeof query === 'string' ? query : '');
    if (!('kind' in document)) return [...document];
    const rootValue = { application: () => states(request) };
    return {
      schema,
      document,
      rootValue,
      variableValues: variables as Record<string, unknown>,
      contextValue: undefined,
    };
  };

  const sockets = new WebSocketServer({ server });
  const ended = useServer<Record<string, unknown>, Partial<Extra>>(
    {
      onSubscribe: ({ extra }, _, { query, variables }) =>
        extra.request === undefined ? [new GraphQLError('no request')] : prepare(query, variables, extra.request),
    },
    sockets,
  );
  const stream = createHandler({
    onSubscribe: async ({ raw }, { query, variables }) => {
      const prepared = prepare(query, variables, raw);
      if (!Array.isArray(prepared)) return prepared;
      const refusal: Response = [
        JSON.stringify({ errors: prepared }),
        { status: 400, statusText: 'Bad Request', headers: json },
      ];
      return refusal;
    },
  });
  return {
    isAsked: ({ headers: { accept = '' } }) => accept.includes('text/event-stream'),
    stream,
    open: (address) => underWay.filter((each) => address === undefined || each.address === address).length,
    begun: () => begun,
    drop: () => {
      for (const { request } of [...underWay]) request.socket.destroy();
    },
    close: () => void ended.dispose(),
  };
}

const json = { 'content-type': 'application/json; charset=utf-8' };
