import { msOf } from '../../domain/seconds.ts';

/**
 * Milliseconds that a `Retry-After` header asks to wait: delta seconds or an HTTP date.
 * @param now milliseconds since the epoch
 * @returns undefined when the header is absent or says nothing
 */
export const retryAfterMs = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return msOf(Number(text));
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};
