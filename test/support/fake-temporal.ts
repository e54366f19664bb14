import { once } from 'node:events';
import { createSecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createCertificateAuthority } from '../../dev/servers/certificates.ts';

/** A Temporal frontend that answers every call with an empty message, and remembers who was said to be calling. */
export interface FakeTemporal {
  /** `host:port`. */
  address: string;
  /** PEM of the authority that its certificate is from. */
  ca: string;
  /** The `authorization` header of each call, in the order of their coming. */
  authorizations: (string | undefined)[];
  close(): Promise<void>;
}

/** An empty protobuf message in gRPC's framing: not compressed, no bytes. */
const emptyMessage = Buffer.alloc(5);

/** Starts it on a free loopback port. TLS, since the SDK sends no API key without. */
export async function startFakeTemporal(): Promise<FakeTemporal> {
  const authority = await createCertificateAuthority('fake-temporal');
  const authorizations: FakeTemporal['authorizations'] = [];
  const sessions = new Set<Http2Session>();
  const server = createSecureServer(await authority.issue({ commonName: 'temporal', names: ['127.0.0.1'] }));
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, { authorization }) => {
    authorizations.push(authorization);
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(emptyMessage);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.cert,
    authorizations,
    async close() {
      server.close();
      for (const session of sessions) session.destroy();
      await once(server, 'close');
    },
  };
}
