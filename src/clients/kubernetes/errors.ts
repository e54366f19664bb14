import { msOf } from '../../domain/seconds.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import { sanitize } from '../http/sanitize.ts';

/** The part of a Kubernetes `Status` object that KCO reads (meta/v1). */
export interface Status {
  code?: number;
  message?: string;
  reason?: string;
  details?: StatusDetails;
}

/** `Status.details`: which object, why in machine words, and when to come back. */
export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: { reason?: string; message?: string; field?: string }[];
  retryAfterSeconds?: number;
}

/** Reasons of a request that got no answer; the others are Kubernetes' own (`Status.reason`). */
export type TransportReason = 'Aborted' | 'ConnectFailed' | 'ConnectionLost' | 'TLSVerifyFailed' | 'Timeout';

interface KubeErrorFields {
  status?: number;
  reason: string;
  message: string;
  retryAfterMs?: number;
  details?: StatusDetails;
  resourceMissing?: boolean;
  cause?: unknown;
}

/** Room for the names and fields that the API server enumerates. */
const maxMessage = 512;

/** What the API server or a node says, as a message: one line that a person can read. */
export const messageOf = (text: string): string => sanitize(text, maxMessage);

/** Any request to the API server that did not succeed. Decide by `status`, `reason` and `details`, never by the message. */
export class KubeError extends Error {
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** Kubernetes' reason (`NotFound`, `Conflict`, `Forbidden`, …), a `TransportReason`, or `InvalidName`/`InvalidResponse`. */
  readonly reason: string;
  /** What the server asked for: `Retry-After`, or `details.retryAfterSeconds`. Milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly details: StatusDetails | undefined;
  /** A 404 of the resource type itself (its CRD is absent), as opposed to a 404 of one object. */
  readonly resourceMissing: boolean;

  constructor(fields: KubeErrorFields) {
    super(messageOf(fields.message), { cause: fields.cause });
    this.name = 'KubeError';
    this.status = fields.status;
    this.reason = fields.reason;
    this.retryAfterMs = fields.retryAfterMs;
    this.details = fields.details;
    this.resourceMissing = fields.resourceMissing ?? false;
  }
}

/** Whether an error is the API server's answer with this HTTP status. */
export const hasStatus = (error: unknown, status: number): error is KubeError =>
  error instanceof KubeError && error.status === status;

/** Whether an error says that there is no such object (not: no such type). */
export const isGone = (error: unknown): boolean => hasStatus(error, 404) && !error.resourceMissing;

/** Whether another attempt later may help: no answer, too many requests, or trouble on the server's side. */
export const isTransient = (error: unknown): boolean =>
  error instanceof KubeError &&
  (error.status === undefined
    ? ['ConnectFailed', 'ConnectionLost', 'Timeout'].includes(error.reason)
    : error.status === 429 || error.status >= 500);

const reasons: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const parseStatus = (body: string): Status | undefined => {
  try {
    const value: unknown = JSON.parse(body);
    const isStatus = typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
    return isStatus ? (value as Status) : undefined;
  } catch {
    return undefined;
  }
};

/**
 * The error of an answer with a status of 400 or more. A type that is not served answers with plain text or with a
 * `Status` that names no object; only a 404 that names its object is that object's absence.
 */
export const errorFromAnswer = (status: number, body: string, retryAfterHeader?: string): KubeError => {
  const parsed = parseStatus(body);
  const seconds = parsed?.details?.retryAfterSeconds;
  const fromDetails = seconds === undefined ? undefined : msOf(seconds);
  return new KubeError({
    status,
    reason: parsed?.reason || (reasons[status] ?? `HTTP${status}`),
    message: parsed?.message || `the API server answered ${status} without a reason`,
    retryAfterMs: retryAfterMs(retryAfterHeader, Date.now()) ?? fromDetails,
    details: parsed?.details,
    resourceMissing: status === 404 && parsed?.details?.name === undefined,
  });
};

const connectCodes = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const timeoutCodes = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const tlsCode = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** A field of whatever was thrown; an abort's DOMException need not be an `Error` of this realm. */
const fieldOf = (error: unknown, field: 'code' | 'message' | 'name'): string => {
  const value =
    typeof error === 'object' && error !== null && field in error ? (error as Record<string, unknown>)[field] : '';
  return typeof value === 'string' ? value : '';
};

const transportReason = (error: unknown): TransportReason => {
  const name = fieldOf(error, 'name');
  const code = fieldOf(error, 'code');
  if (name === 'TimeoutError' || timeoutCodes.has(code)) return 'Timeout';
  if (name === 'AbortError' || code === 'UND_ERR_ABORTED') return 'Aborted';
  if (connectCodes.has(code)) return 'ConnectFailed';
  return tlsCode.test(code) ? 'TLSVerifyFailed' : 'ConnectionLost';
};

/** The error of a request that got no (whole) answer. */
export const errorFromCause = (cause: unknown): KubeError => {
  if (cause instanceof KubeError) return cause;
  const text = fieldOf(cause, 'message') || fieldOf(cause, 'code') || String(cause);
  const message = `no answer from the API server: ${text}`;
  return new KubeError({ reason: transportReason(cause), message, cause });
};
