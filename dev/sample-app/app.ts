import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Fault, misbehave, respond } from './fault.ts';
import { type AppState, createFleet, type Fleet } from './fleet.ts';
import { type Asked, answer } from './schema.ts';
import { offerSubscriptions, type SampleSubscriptions } from './subscriptions.ts';

/** A running sample application: many instances in one process, told apart by the local address they are reached on. */
export interface SampleApp {
  port: number;
  /** The path of a fresh instance's GraphQL endpoint on an address. */
  url(address?: string): string;
  stateOf(address: string): AppState;
  /** Changes what an instance says; `*`: every one, also those to come. */
  setState(address: string, change: Partial<AppState>): void;
  /** The instance restarted: its state is fresh again. */
  forget(address: string): void;
  /** Makes an instance (`*`: every one without a fault of its own) misbehave; undefined: well again. */
  fault(address: string, fault: Fault | undefined): void;
  /** GraphQL requests that reached an address; without one, all. */
  requests(address?: string): number;
  /** Calls the listener at each of them with the address that it reached. */
  onRequest(listener: (address: string) => void): void;
  /** TCP connections accepted so far. */
  connections(): number;
  /** Subscriptions of the instances, over WebSocket or as streams of events. */
  subscriptions: Pick<SampleSubscriptions, 'begun' | 'drop' | 'open'>;
  close(): Promise<void>;
}

/** What `startSampleApp` may be told. */
export interface SampleAppOptions {
  /** Default: a free one. */
  port?: number;
  /** Default 0.0.0.0: every address of the machine, so all of 127.0.0.0/8. */
  host?: string;
  /** All addresses are the same instance. Default false. */
  single?: boolean;
}

interface Desk {
  fleet: Fleet;
  faults: Map<string, Fault>;
  counts: Map<string, number>;
  listeners: ((address: string) => void)[];
}

const addressOf = (request: IncomingMessage): string => (request.socket.localAddress ?? '').replace(/^::ffff:/, '');

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

const asJson = (text: string): Asked => {
  try {
    return (JSON.parse(text) ?? {}) as Asked;
  } catch {
    return {};
  }
};

/** The fault that this request meets, counted down. */
const takeFault = ({ faults }: Desk, address: string): Fault | undefined => {
  const key = faults.has(address) ? address : '*';
  const fault = faults.get(key);
  if (fault?.times === undefined) return fault;
  if (fault.times <= 1) faults.delete(key);
  else faults.set(key, { ...fault, times: fault.times - 1 });
  return fault;
};

const graphql = async (desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const address = addressOf(request);
  desk.counts.set(address, (desk.counts.get(address) ?? 0) + 1);
  for (const listener of desk.listeners) listener(address);
  const asked = asJson(await readBody(request));
  const fault = takeFault(desk, address);
  const broken = fault?.kind === 'errors' ? fault.fields : [];
  const { status, result } = await answer(asked, desk.fleet.stateOf(address), broken);
  if (typeof asked.query === 'string' && asked.query.includes('mutation')) desk.fleet.changed(address);
  const exchange = { request, response, reply: { status, body: JSON.stringify(result) } };
  if (fault === undefined) respond(exchange);
  else await misbehave(exchange, fault);
};

/** Probes as a kubelet asks them: alive while the process answers, ready while the instance is not unhealthy. */
const probe = (desk: Desk, request: IncomingMessage, response: ServerResponse): void => {
  const { health } = desk.fleet.stateOf(addressOf(request));
  const fine = request.url === '/healthz' || (request.url === '/readyz' && health === 'healthy');
  const known = request.url === '/healthz' || request.url === '/readyz';
  response.writeHead(known ? (fine ? 200 : 503) : 404, { 'content-type': 'text/plain' });
  response.end(known ? `${health}\n` : 'ask POST /graphql\n');
};

const listen = async (server: Server, port: number, host: string): Promise<number> => {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** Starts the application and its control: many instances in one process, each with its own state and faults. */
export const startSampleApp = async (options: SampleAppOptions = {}): Promise<SampleApp> => {
  const desk: Desk = {
    fleet: createFleet(options.single ?? false),
    faults: new Map(),
    counts: new Map(),
    listeners: [],
  };
  const server = createServer((request, response) => {
    if (request.method !== 'POST') return probe(desk, request, response);
    if (subscriptions.isAsked(request)) return void subscriptions.stream(request, response);
    // A client that hangs up in the middle is its own business.
    graphql(desk, request, response).catch(() => response.destroy());
  });
  const subscriptions = offerSubscriptions(server, desk.fleet);
  let connections = 0;
  server.on('connection', () => connections++);
  // Longer than a poll's interval, so that connections live from poll to poll.
  server.keepAliveTimeout = 120_000;
  const port = await listen(server, options.port ?? 0, options.host ?? '0.0.0.0');
  return {
    port,
    url: (address = '127.0.0.1') => `http://${address}:${port}/graphql`,
    stateOf: (address) => structuredClone(desk.fleet.stateOf(address)),
    setState: desk.fleet.setState,
    forget: desk.fleet.forget,
    fault: (address, fault) =>
      void (fault === undefined ? desk.faults.delete(address) : desk.faults.set(address, fault)),
    requests: (address) =>
      address === undefined
        ? [...desk.counts.values()].reduce((sum, count) => sum + count, 0)
        : (desk.counts.get(address) ?? 0),
    onRequest: (listener) => void desk.listeners.push(listener),
    connections: () => connections,
    subscriptions,
    async close() {
      server.close();
      subscriptions.close();
      subscriptions.drop();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
