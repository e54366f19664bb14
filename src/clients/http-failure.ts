import type { Failure, FailureClass } from '../domain/observation.ts';
import { printable } from './printable.ts';

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

/** What the error codes of Node, OpenSSL and undici mean for a person. */
const known: Record<string, [FailureClass, string]> = {
  CERT_HAS_EXPIRED: ['TLSVerifyFailed', 'the certificate has expired'],
  CERT_NOT_YET_VALID: ['TLSVerifyFailed', 'the certificate is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['TLSVerifyFailed', 'the certificate is self-signed'],
  EAI_AGAIN: ['ConnectFailed', 'the name could not be resolved for now'],
  ECONNREFUSED: ['ConnectFailed', 'connection refused'],
  ECONNRESET: ['ConnectFailed', 'the connection was reset'],
  EHOSTUNREACH: ['ConnectFailed', 'no route to the host'],
  ENETUNREACH: ['ConnectFailed', 'no route to the network'],
  ENOTFOUND: ['ConnectFailed', 'the name does not exist'],
  EPIPE: ['ConnectFailed', 'the connection was closed'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['TLSVerifyFailed', 'the certificate is for another name'],
  ETIMEDOUT: ['ConnectFailed', 'no connection in time'],
  SELF_SIGNED_CERT_IN_CHAIN: ['TLSVerifyFailed', 'the certificate chain ends in an unknown authority'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['TLSVerifyFailed', 'the certificate is from an unknown authority'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['TLSVerifyFailed', 'the certificate is from an unknown authority'],
  UND_ERR_CONNECT_TIMEOUT: ['ConnectFailed', 'no connection in time'],
  UND_ERR_DESTROYED: ['ConnectFailed', 'shutting down'],
  UND_ERR_HEADERS_OVERFLOW: ['TooLarge', 'the headers of the answer are too large'],
  UND_ERR_INVALID_ARG: ['ConnectFailed', 'the request cannot be sent: check its headers'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['ConnectFailed', 'the answer was cut off'],
  UND_ERR_SOCKET: ['ConnectFailed', 'the connection was closed before the answer was complete'],
};

const byPrefix: [RegExp, FailureClass, string][] = [
  [/^HPE_HEADER_OVERFLOW/, 'TooLarge', 'the headers of the answer are too large'],
  [/^HPE_/, 'ConnectFailed', 'the answer is not HTTP'],
  [/^(ERR_SSL_|ERR_TLS_|EPROTO)/, 'TLSVerifyFailed', 'the TLS handshake failed'],
  [
    /^(CERT_|UNABLE_TO_|ERROR_IN_|INVALID_CA|PATH_LENGTH|HOSTNAME_MISMATCH)/,
    'TLSVerifyFailed',
    'the certificate does not verify',
  ],
];

/** The code of an error, or of the first of several: one per address that was tried. */
const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'errors' in error && Array.isArray(error.errors) ? codeOf(error.errors[0]) : '';
};

/**
 * The failure that an error of the connection means, by its code. The text of the error itself is not passed on: it
 * may quote what was sent.
 * @param address host and path, for the message
 */
export const failureOf = (error: unknown, address: string): Failure => {
  if (error instanceof EgressDenied) {
    const denied = printable(error.address);
    return {
      class: 'EgressDenied',
      message: `${address}: ${denied} is an address of cloud metadata, which is never asked`,
    };
  }
  const code = codeOf(error);
  const [, prefixClass, prefixText] = byPrefix.find(([prefix]) => prefix.test(code)) ?? [];
  const [failureClass, text] = known[code] ?? [prefixClass ?? 'ConnectFailed', prefixText ?? 'the request failed'];
  return { class: failureClass, message: `${address}: ${text}${code === '' ? '' : ` (${printable(code)})`}` };
};
