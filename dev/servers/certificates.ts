/**
 * The certificates of the servers. ECDSA P-256 with SHA-256 throughout, because RSA keys take longer to make than the API
 * server takes to start.
 */
import 'reflect-metadata'; // The library builds on it and does not bring it.
import { generateKeyPairSync, KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** A key and its certificate, both PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** What to issue a certificate for. */
export interface Subject {
  /** The user name as Kubernetes sees it. */
  commonName: string;
  /** The groups as Kubernetes sees them. */
  organizations?: string[];
  /** DNS names and IPv4 addresses that a server answers under. */
  names?: string[];
}

/** A certificate authority that lives as long as this object. */
export interface CertificateAuthority {
  /** The CA's own certificate, PEM. */
  cert: string;
  /** Issues a certificate, valid for a year, good for both servers and clients. */
  issue(subject: Subject): Promise<Certificate>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const dayMs = 24 * 3600 * 1000;
/** An hour back, so that a clock set right in the meantime does not make a certificate "not yet valid". */
const validity = () => ({ notBefore: new Date(Date.now() - dayMs / 24), notAfter: new Date(Date.now() + 365 * dayMs) });

const nameOf = ({ commonName, organizations = [] }: Subject): x509.JsonName => [
  ...organizations.map((organization) => ({ O: [organization] })),
  { CN: [commonName] },
];

async function leafExtensions(names: string[], key: x509.PublicKeyType, issuer: x509.PublicKeyType) {
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  return [
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
    ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    await x509.SubjectKeyIdentifierExtension.create(key),
    await x509.AuthorityKeyIdentifierExtension.create(issuer),
  ];
}

/** Makes a new certificate authority with a new key. */
export async function createCertificateAuthority(commonName: string): Promise<CertificateAuthority> {
  const keys = await newKeys();
  const { cRLSign, keyCertSign } = x509.KeyUsageFlags;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: nameOf({ commonName }),
    keys,
    ...validity(),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(cRLSign | keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    cert: ca.toString('pem'),
    async issue(subject) {
      const { privateKey, publicKey } = await newKeys();
      const cert = await x509.X509CertificateGenerator.create({
        subject: nameOf(subject),
        issuer: ca.subjectName.toJSON(),
        publicKey,
        signingKey: keys.privateKey,
        ...validity(),
        signingAlgorithm: algorithm,
        extensions: await leafExtensions(subject.names ?? [], publicKey, keys.publicKey),
      });
      return {
        cert: cert.toString('pem'),
        key: KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
      };
    },
  };
}

/** A key pair for signing ServiceAccount tokens, PEM; the private key in the form that Go's key parser takes (SEC1). */
export const createSigningKey = (): { privateKey: string; publicKey: string } =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
