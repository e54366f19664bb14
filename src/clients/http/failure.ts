import { errors } from 'undici';
import { type Failure, type FailureClass, failureOf } from '../../domain/failure.ts';
import { addressOf, sanitize } from './sanitize.ts';

/** The guard said no to an address. */
export class EgressDenied extends Error {
  readonly code = 'KCO_EGRESS_DENIED';
  readonly address: string;
  constructor(address: string) {
    super(`${address} is refused`);
    this.name = 'EgressDenied';
    this.address = address;
  }
}

/** A name has no address, or none came in the time that a connection may take. */
export class NameUnresolved extends Error {
  readonly code = 'KCO_NAME_UNRESOLVED';
  constructor(hostname: string) {
    super(`no address of ${hostname}`);
    this.name = 'NameUnresolved';
  }
}

/** What the error codes of Node, OpenSSL and undici mean for a person. */
const known: Record<string, [FailureClass, string]> = {
  CERT_HAS_EXPIRED: ['TLSVerifyFailed', 'the certificate has expired'],
  CERT_NOT_YET_VALID: ['TLSVerifyFailed', 'the certificate is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['TLSVerifyFailed', 'the certificate is self-signed'],
  EACCES: ['OperatorTrouble', 'a network policy does not let the operator out to there'],
  EADDRNOTAVAIL: ['OperatorTrouble', 'the operator has no local address or port left for a connection'],
  ECONNREFUSED: ['ConnectFailed', 'connection refused'],
  ECONNRESET: ['ConnectFailed', 'the connection was reset'],
  EHOSTUNREACH: ['ConnectFailed', 'no route to the host'],
  EMFILE: ['OperatorTrouble', 'the operator has too many files and connections open'],
  ENETDOWN: ['OperatorTrouble', 'the network of the operator is down'],
  ENETUNREACH: ['OperatorTrouble', 'the operator has no route to the network'],
  ENFILE: ['OperatorTrouble', 'the node of the operator has too many files open'],
  ENOBUFS: ['OperatorTrouble', 'the operator has no memory left for a connection'],
  ENOMEM: ['OperatorTrouble', 'the operator has no memory left for a connection'],
  ENOTFOUND: ['ConnectFailed', 'the name does not exist'],
  EPERM: ['OperatorTrouble', 'a network policy does not let the operator out to there'],
  EPIPE: ['ConnectFailed', 'the connection was closed'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['TLSVerifyFailed', 'the certificate is for another name'],
  ETIMEDOUT: ['ConnectFailed', 'no connection in time'],
  KCO_NAME_UNRESOLVED: ['DNSUnavailable', 'the name could not be resolved in time'],
  SELF_SIGNED_CERT_IN_CHAIN: ['TLSVerifyFailed', 'the certificate chain ends in an unknown authority'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['TLSVerifyFailed', 'the certificate is from an unknown authority'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['TLSVerifyFailed', 'the certificate is from an unknown authority'],
  UND_ERR_CLOSED: ['OperatorTrouble', 'the operator is shutting down'],
  UND_ERR_CONNECT_TIMEOUT: ['ConnectFailed', 'no connection in time'],
  UND_ERR_DESTROYED: ['OperatorTrouble', 'the operator is shutting down'],
  UND_ERR_HEADERS_OVERFLOW: ['TooLarge', 'the headers of the answer are too large'],
  UND_ERR_INVALID_ARG: ['InvalidRequest', 'the request cannot be sent: check its headers'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['ConnectFailed', 'the answer was cut off'],
  UND_ERR_SOCKET: ['ConnectFailed', 'the connection was closed before the answer was complete'],
};

/** Codes that come and go for one and the same trouble. */
const alike: Record<string, string> = {
  ECONNRESET: 'lost',
  EPIPE: 'lost',
  ETIMEDOUT: 'late',
  UND_ERR_CONNECT_TIMEOUT: 'late',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'lost',
  UND_ERR_SOCKET: 'lost',
};

const byPrefix: [RegExp, FailureClass, string][] = [
  // All but ENOTFOUND, which is an answer: the resolver, not the app, does not answer.
  [/^EAI_/, 'DNSUnavailable', 'the name could not be resolved for now'],
  [/^(ERR_SSL_|ERR_TLS_|EPROTO)/, 'TLSVerifyFailed', 'the TLS handshake failed'],
  [
    /^(CERT_|UNABLE_TO_|ERROR_IN_|INVALID_CA|PATH_LENGTH|HOSTNAME_MISMATCH)/,
    'TLSVerifyFailed',
    'the certificate does not verify',
  ],
];

/** The codes of an error: several when several addresses were tried. */
const codesOf = (error: unknown): string[] => {
  if (typeof error !== 'object' || error === null) return [];
  const several = 'errors' in error && Array.isArray(error.errors) ? error.errors.flatMap(codesOf) : [];
  if (several.length > 0) return several;
  return 'code' in error && typeof error.code === 'string' ? [error.code] : [];
};

const failureFor = (code: string, address: string): Failure => {
  const [, prefixClass, prefixText] = byPrefix.find(([prefix]) => prefix.test(code)) ?? [];
  const [failureClass, text] = known[code] ?? [prefixClass ?? 'ConnectFailed', prefixText ?? 'the request failed'];
  const shown = sanitize(code, 40);
  return failureOf(failureClass, `${address}: ${text} (${shown})`, { about: alike[code] ?? shown });
};

/**
 * The failure that an error of the connection means, by its code. The text of the error itself is not passed on: it
 * may quote what was sent. Of several addresses of a name one that is to blame says more than one that could not be
 * tried.
 * @param address host and path, for the message
 */
export const connectionFailure = (error: unknown, address: string): Failure => {
  if (error instanceof EgressDenied) {
    const denied = sanitize(error.address);
    return failureOf('EgressDenied', `${address}: ${denied} is an address of cloud metadata, which is never asked`);
  }
  // Its code is most often missing.
  if (error instanceof errors.HTTPParserError)
    return failureOf('NotHTTP', `${address}: the answer is not HTTP as it should be`);
  const failures = codesOf(error).map((code) => failureFor(code, address));
  // Without a code it is no error of the network.
  const fallback = failures[0] ?? failureOf('OperatorTrouble', `${address}: the request failed`);
  return failures.find(({ kind }) => kind !== 'unknown') ?? fallback;
};

/** What gateways and load balancers say when they have no answer of the app itself. */
const withoutAnswer = new Set([502, 503, 504]);

/**
 * The failure of an answer whose status is not one of success. `why`: what follows the sentence. `about`: what tells it
 * from another one of the same status.
 */
export const badStatus = (url: URL | string, status: number, why = '', about = ''): Failure =>
  failureOf('HTTPStatus', `${addressOf(url)} answered ${status}${why}`, {
    about: `${status}${about}`,
    ...(withoutAnswer.has(status) && { kind: 'unreachable' }),
  });
