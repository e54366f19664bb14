/** How often one host may be asked. */
export interface Rate {
  /** Requests per second, sustained. */
  perSecond: number;
  /** Requests that may come at once after a pause. */
  burst: number;
}

/** What is remembered of hosts and endpoints so that they are not asked more than they bear. */
export interface Restraint {
  /** Takes a turn at a host and says how many milliseconds to wait for it; undefined: longer than `withinMs`. */
  turn(host: string, withinMs: number): number | undefined;
  /** Milliseconds for which an endpoint asked not to be asked; 0: none. */
  pauseLeft(endpoint: string): number;
  /** An endpoint asked for quiet (`Retry-After`). */
  pause(endpoint: string, ms: number): void;
  /** Whether an endpoint failed so often in a row that repeating a request within a poll is only a burden. */
  isDown(endpoint: string): boolean;
  /** How a whole poll of an endpoint ended. */
  settled(endpoint: string, answered: boolean): void;
}

/** What `createRestraint` may be told. */
export interface RestraintOptions {
  rate: Rate;
  /** Polls in a row that must fail before retries stop. */
  failuresUntilDown: number;
  /** Longest quiet that an endpoint can ask for, in milliseconds: it cannot switch its own observation off. */
  longestPauseMs: number;
  /** Milliseconds since any fixed moment. */
  now(): number;
}

/** More hosts than one worker polls; what is forgotten beyond it is only a reason to be gentle. */
const remembered = 20_000;

const remember = <V>(map: Map<string, V>, key: string, value: V): V => {
  const oldest = map.size >= remembered ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
  return value;
};

/**
 * A token bucket per host, and per endpoint a count of failed polls and the quiet that was asked for.
 *
 * The breaker is deliberately not one that rejects calls: polls are rare and are themselves the probe. While an endpoint
 * is down each poll still asks it once, so a recovered application is noticed by the first poll after its recovery,
 * and what a breaker should save, the repetitions, is saved.
 */
export const createRestraint = ({ rate, failuresUntilDown, longestPauseMs, now }: RestraintOptions): Restraint => {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const troubles = new Map<string, { failures: number; pausedUntil: number }>();
  const trouble = (endpoint: string) =>
    troubles.get(endpoint) ?? remember(troubles, endpoint, { failures: 0, pausedUntil: 0 });
  return {
    turn(host, withinMs) {
      const at = now();
      const bucket = buckets.get(host) ?? remember(buckets, host, { tokens: rate.burst, at });
      bucket.tokens = Math.min(rate.burst, bucket.tokens + ((at - bucket.at) / 1000) * rate.perSecond);
      bucket.at = at;
      const waitMs = Math.max(0, ((1 - bucket.tokens) / rate.perSecond) * 1000);
      if (waitMs > withinMs) return undefined;
      bucket.tokens -= 1;
      return waitMs;
    },
    pauseLeft: (endpoint) => Math.max(0, (troubles.get(endpoint)?.pausedUntil ?? 0) - now()),
    pause(endpoint, ms) {
      trouble(endpoint).pausedUntil = now() + Math.min(ms, longestPauseMs);
    },
    isDown: (endpoint) => (troubles.get(endpoint)?.failures ?? 0) >= failuresUntilDown,
    settled(endpoint, answered) {
      if (answered) troubles.delete(endpoint);
      else trouble(endpoint).failures++;
    },
  };
};
