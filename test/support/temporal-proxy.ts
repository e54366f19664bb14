import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { gunzipSync } from 'node:zlib';

/** What comes between Temporal and its client; each is asked with the method's name and the message. */
export interface TemporalGate {
  /** Whether Temporal is never to hear of a request. */
  keepsRequest(method: string, message: Uint8Array): boolean;
  /** Whether the client gets a message without content in place of an answer. */
  empties(method: string, message: Uint8Array): boolean;
}

/** Something in front of a Temporal frontend. */
export interface TemporalProxy {
  /** host:port */
  address: string;
  close(): Promise<void>;
}

const prefixBytes = 5;
const nothing = Buffer.alloc(prefixBytes);

/** The message of a call that has one: behind a flag that says whether it is compressed, and its length. */
function messageIn(bytes: Buffer): Uint8Array {
  const message = bytes.subarray(prefixBytes);
  return bytes[0] === 1 ? gunzipSync(message) : message;
}

const bytesOf = async (stream: Duplex): Promise<Buffer> => Buffer.concat(await stream.toArray());

/** One call of a method that takes one message and answers with one, as all of Temporal's do. */
async function handOn(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  upstream: ClientHttp2Session,
  gate: TemporalGate,
): Promise<void> {
  const method = headers[':path']?.split('/').at(-1) ?? '';
  const request = await bytesOf(stream);
  if (gate.keepsRequest(method, messageIn(request))) return;
  const { ':authority': _, ...rest } = headers;
  const call = upstream.request(rest);
  stream.on('close', () => call.close(constants.NGHTTP2_CANCEL));
  let trailers: IncomingHttpHeaders = {};
  call.on('trailers', (told: IncomingHttpHeaders) => {
    trailers = told;
  });
  call.end(request);
  const [answered] = (await once(call, 'response')) as [IncomingHttpHeaders];
  const answer = await bytesOf(call);
  if (stream.destroyed) return;
  // An error is told by headers alone.
  if (answered['grpc-status'] !== undefined) return stream.respond(answered, { endStream: true });
  stream.respond(answered, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(gate.empties(method, messageIn(answer)) ? nothing : answer);
}

/** Starts it on loopback. A client that ends takes all with it that it had asked for and not been answered. */
export async function startTemporalProxy(temporal: string, gate: TemporalGate): Promise<TemporalProxy> {
  const server = createServer({ settings: { maxConcurrentStreams: 10_000 } });
  const upstreams = new Map<ServerHttp2Session, ClientHttp2Session>();
  server.on('session', (session) => {
    const upstream = connect(`http://${temporal}`);
    upstreams.set(session, upstream);
    upstream.on('error', () => session.destroy()).on('close', () => session.destroy());
    session
      .on('error', () => session.destroy())
      .on('close', () => {
        upstream.destroy();
        upstreams.delete(session);
      });
  });
  server.on('stream', (stream, headers) => {
    const upstream = stream.session && upstreams.get(stream.session as ServerHttp2Session);
    stream.on('error', () => stream.destroy());
    if (upstream === undefined) stream.destroy();
    else handOn(stream, headers, upstream, gate).catch(() => stream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const session of upstreams.keys()) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
