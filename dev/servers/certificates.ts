/**
 * X.509 certificates in a few lines of DER: Node can sign but not issue, and neither a dependency nor an `openssl`
 * binary is worth having for one CA and four leaves. ECDSA P-256 with SHA-256 throughout, because RSA keys take longer
 * to make than the API server takes to start.
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

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

const oids = {
  authorityKeyIdentifier: '2.5.29.35',
  basicConstraints: '2.5.29.19',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  extendedKeyUsage: '2.5.29.37',
  keyUsage: '2.5.29.15',
  organization: '2.5.4.10',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
} as const;

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
};

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...derLength(body.length)]), body]);
}

/** The shortest form is mandatory in DER, and Go checks it. */
function derLength(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

const sequence = (...parts: Buffer[]) => der(tags.sequence, ...parts);
const octets = (body: Buffer) => der(tags.octets, body);
const bits = (body: Buffer, unused = 0) => der(tags.bits, Buffer.from([unused]), body);

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(tags.oid, Buffer.from(bytes));
}

function distinguishedName({ commonName, organizations = [] }: Subject): Buffer {
  const attribute = (type: string, value: string) =>
    der(tags.set, sequence(oid(type), der(tags.utf8, Buffer.from(value))));
  return sequence(...organizations.map((o) => attribute(oids.organization, o)), attribute(oids.commonName, commonName));
}

function utcTime(date: Date): Buffer {
  return der(
    tags.time,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2, 14)}Z`,
    ),
  );
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(type), ...(critical ? [der(tags.boolean, Buffer.from([0xff]))] : []), octets(value));
}

function alternativeName(name: string): Buffer {
  // Context tags of GeneralName: 7 is an address, 2 a DNS name.
  return isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function leafExtensions(names: string[]): Buffer[] {
  const usages = sequence(oid(oids.serverAuth), oid(oids.clientAuth));
  const digitalSignature = bits(Buffer.from([0x80]), 7);
  return [
    extension(oids.keyUsage, digitalSignature, true),
    extension(oids.extendedKeyUsage, usages),
    ...(names.length > 0 ? [extension(oids.subjectAltName, sequence(...names.map(alternativeName)))] : []),
  ];
}

function caExtensions(): Buffer[] {
  const certAndCrlSign = bits(Buffer.from([0x06]), 1);
  return [
    extension(oids.basicConstraints, sequence(der(tags.boolean, Buffer.from([0xff]))), true),
    extension(oids.keyUsage, certAndCrlSign, true),
  ];
}

interface Issuer {
  subject: Subject;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

function issue(subject: Subject, publicKey: KeyObject, issuer: Issuer, extensions: Buffer[]): string {
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  const day = 24 * 3600 * 1000;
  // An hour back, so that a clock set right in the meantime does not make the certificate "not yet valid".
  const validity = sequence(utcTime(new Date(Date.now() - day / 24)), utcTime(new Date(Date.now() + 365 * day)));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const identifiers = [
    extension(oids.subjectKeyIdentifier, octets(keyIdentifier(publicKey))),
    extension(oids.authorityKeyIdentifier, sequence(der(0x80, keyIdentifier(issuer.publicKey)))),
  ];
  const toBeSigned = sequence(
    der(0xa0, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, serial),
    algorithm,
    distinguishedName(issuer.subject),
    validity,
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions, ...identifiers)),
  );
  const certificate = sequence(toBeSigned, algorithm, bits(sign('sha256', toBeSigned, issuer.privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A certificate authority that lives as long as this object. */
export interface CertificateAuthority {
  /** The CA's own certificate, PEM. */
  cert: string;
  /** Issues a certificate, valid for a year, good for both servers and clients. */
  issue(subject: Subject): Certificate;
}

/** Makes a new certificate authority with a new key. */
export function createCertificateAuthority(commonName: string): CertificateAuthority {
  const subject = { commonName };
  const issuer: Issuer = { subject, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
  return {
    cert: issue(subject, issuer.publicKey, issuer, caExtensions()),
    issue(leaf) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return { cert: issue(leaf, pair.publicKey, issuer, leafExtensions(leaf.names ?? [])), key: pem(pair.privateKey) };
    },
  };
}

/** A key pair for signing ServiceAccount tokens, PEM; the private key in the form that Go's key parser takes (SEC1). */
export function createSigningKey(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: createPrivateKey(pem(privateKey)).export({ type: 'sec1', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}
