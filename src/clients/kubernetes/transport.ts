import type { Dispatcher } from 'undici';
import type { Connection } from './connection.ts';
import { errorFromAnswer } from './errors.ts';

/** One request to the API server. */
export interface KubeRequest {
  method: 'DELETE' | 'GET' | 'PATCH' | 'POST';
  /** Path with query. */
  path: string;
  body?: unknown;
  /** Of the body; default `application/json`. */
  contentType?: string;
  signal?: AbortSignal;
}

export interface TransportOptions {
  connection: Connection;
  userAgent: string;
  timeoutMs: number;
  /** Whom to act as; the connection's own user when absent. */
  user?: string;
}

/**
 * Sends one request once, as the given user (as the transport's own without one), and resolves with an answer whose body is
 * still to be read. Throws `KubeError` for an answer that is a refusal, and whatever the connection throws.
 */
export type Transport = (
  request: KubeRequest,
  use: 'calls' | 'watches',
  actAs?: string,
) => Promise<Dispatcher.ResponseData>;

const header = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Requests over the connection's pools. */
export const createTransport = ({ connection, userAgent, timeoutMs, user }: TransportOptions): Transport => {
  const { origin, pathname } = new URL(connection.server);
  const prefix = pathname.replace(/\/$/, '');

  return async (request, use, actAs = user) => {
    const [dispatcher, auth] = await Promise.all([connection.dispatcher(use), connection.headers(actAs)]);
    const withBody = request.body !== undefined && { 'content-type': request.contentType ?? 'application/json' };
    const answer = await dispatcher.request({
      origin,
      path: prefix + request.path,
      method: request.method,
      headers: { accept: 'application/json', 'user-agent': userAgent, ...auth, ...withBody },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      headersTimeout: timeoutMs,
      // A quiet watch is no fault: who reads it notices a stall.
      bodyTimeout: use === 'watches' ? 0 : timeoutMs,
      ...(request.signal && { signal: request.signal }),
    });
    if (answer.statusCode < 300) return answer;
    if (answer.statusCode === 401) connection.refresh();
    throw errorFromAnswer(answer.statusCode, await answer.body.text(), header(answer.headers, 'retry-after'));
  };
};
