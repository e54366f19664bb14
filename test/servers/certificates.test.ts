import { X509Certificate } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '../../dev/servers/certificates.ts';

const authority = await createCertificateAuthority('test-ca');

async function handshake(trusted: string): Promise<{ authorized: boolean; clientSubject: unknown }> {
  const server = createServer({
    ...(await authority.issue({ commonName: 'server', names: ['127.0.0.1'] })),
    ca: authority.cert,
    requestCert: true,
  });
  const seen = Promise.withResolvers<unknown>();
  server.on('secureConnection', (socket: TLSSocket) => seen.resolve(socket.getPeerCertificate().subject));
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const client = await authority.issue({ commonName: 'jane', organizations: ['viewers'] });
  const connected = Promise.withResolvers<boolean>();
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', ca: trusted, ...client }, () =>
    connected.resolve(socket.authorized),
  );
  socket.on('error', connected.reject);
  try {
    return { authorized: await connected.promise, clientSubject: await seen.promise };
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('a certificate authority', () => {
  it('issues certificates that both ends of a TLS connection accept', async () => {
    const { authorized, clientSubject } = await handshake(authority.cert);
    expect(authorized).toBe(true);
    expect(clientSubject).toMatchObject({ CN: 'jane', O: 'viewers' });
  });

  it('is not trusted by who trusts another one', async () => {
    const other = await createCertificateAuthority('test-ca');
    await expect(handshake(other.cert)).rejects.toThrow();
  });

  it('signs what it issues, for the given names only', async () => {
    const { cert } = await authority.issue({ commonName: 'api', names: ['127.0.0.1', 'localhost'] });
    const leaf = new X509Certificate(cert);
    const ca = new X509Certificate(authority.cert);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect([leaf.checkIP('127.0.0.1'), leaf.checkHost('localhost')]).toEqual(['127.0.0.1', 'localhost']);
    expect([leaf.checkIP('127.0.0.2'), leaf.checkHost('example.com')]).toEqual([undefined, undefined]);
    expect([leaf.ca, ca.ca]).toEqual([false, true]);
  });

  it.each([1, 40, 100, 119, 120, 130, 200, 300])('can encode a name of %i characters', async (length) => {
    const commonName = 'x'.repeat(length);
    const leaf = new X509Certificate((await authority.issue({ commonName })).cert);
    expect(leaf.subject).toBe(`CN=${commonName}`);
  });
});
