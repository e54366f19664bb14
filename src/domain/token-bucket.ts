import { msOf, secondsOf } from './seconds.ts';

/** How often something may be done. */
export interface Rate {
  /** Sustained. */
  perSecond: number;
  /** At once after a pause. */
  burst: number;
}

/** What of a rate is left at a time, in milliseconds. Below zero: taken in advance. */
export interface TokenBucket {
  tokens: number;
  at: number;
}

/** What became of the wish for a token. */
export interface Take {
  bucket: TokenBucket;
  taken: boolean;
  /** Milliseconds until the token is there. */
  waitMs: number;
}

export const fullBucket = ({ burst }: Rate, now: number): TokenBucket => ({ tokens: burst, at: now });

/** Takes a token, in advance where it comes within so many milliseconds; one that comes later is not taken. */
export function takeToken(
  { tokens, at }: TokenBucket,
  { perSecond, burst }: Rate,
  now: number,
  withinMs: number,
): Take {
  const filled = Math.min(burst, tokens + secondsOf(now - at) * perSecond);
  const waitMs = Math.max(0, msOf((1 - filled) / perSecond));
  const taken = waitMs <= withinMs;
  return { bucket: { tokens: taken ? filled - 1 : filled, at: now }, taken, waitMs };
}
