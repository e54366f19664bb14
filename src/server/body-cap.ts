import type { MiddlewareHandler } from 'hono';
import { json } from './answers.ts';

/** The whole of a body, or nothing as soon as it is longer than this. */
async function readUpTo(maxBytes: number, body: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/**
 * Refuses bodies that are longer than this, before a route reads them. A length that is declared is believed, because Node
 * reads no further; a body without one is read here. (Hono's own `bodyLimit` fails on those unless Node's global `Request`
 * is replaced, which would reach the clients, too.)
 */
export const bodyCap =
  (maxBytes: number): MiddlewareHandler =>
  async ({ req }, next) => {
    const tooLong = (): Response => json(413, { error: `a body may have ${maxBytes} bytes` });
    if (Number(req.header('content-length') ?? 0) > maxBytes) return tooLong();
    if (req.header('transfer-encoding') !== undefined && req.raw.body !== null) {
      const body = await readUpTo(maxBytes, req.raw.body);
      if (body === undefined) return tooLong();
      const { method, headers, signal } = req.raw;
      req.raw = new Request(req.url, { method, headers, signal, body });
    }
    return next();
  };
