import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

// A throw-away key pair for the name other.example.test, signed by itself: it proves nothing and protects nothing.
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglyXgS4KiWMKISRVV
ebiRPAr87pHZjUPnbq0nFeNyLFChRANCAAQT8dNXpubbbftw6/wqF3w03fa2oaeI
4rFeTdxqUGnwfkurw1bG39yNH5t38s1n+I2AjxPrfcDFryvb/0zrF22a
-----END PRIVATE KEY-----`;
export const cert = `-----BEGIN CERTIFICATE-----
MIIBrzCCAVagAwIBAgIUPFMmxL2akUmwNWDm1/rrUVV9kZ8wCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSb3RoZXIuZXhhbXBsZS50ZXN0MCAXDTI2MTEyMTEwMjUwM1oY
DzIxMjYxMDI4MTAyNTAzWjAdMRswGQYDVQQDDBJvdGhlci5leGFtcGxlLnRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQT8dNXpubbbftw6/wqF3w03fa2oaeI
4rFeTdxqUGnwfkurw1bG39yNH5t38s1n+I2AjxPrfcDFryvb/0zrF22ao3IwcDAd
BgNVHQ4EFgQUdJsoOcxXOUyPiolF7ZovGKG68D4wHwYDVR0jBBgwFoAUdJsoOcxX
OUyPiolF7ZovGKG68D4wDwYDVR0TAQH/BAUwAwEB/zAdBgNVHREEFjAUghJvdGhl
ci5leGFtcGxlLnRlc3QwCgYIKoZIzj0EAwIDRwAwRAIgLS7EK7T5uHR3P4DfbXTq
qp2926wZZBrc5RTv4osLgpUCIHCwEKS3+wsjEyqgLtMqDcfSr9cZR8DKhgTCt5su
XjsE
-----END CERTIFICATE-----`;

/** An HTTPS server that nobody has a reason to trust. */
export const startUntrustedServer = async (): Promise<{ port: number; close(): Promise<void> }> => {
  const server = createServer({ key, cert }, (_, response) => response.end('{}')).listen(0, '127.0.0.1');
  // The client is expected to hang up.
  server.on('tlsClientError', () => undefined);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
