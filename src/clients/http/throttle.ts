import { fullBucket, type Rate, type TokenBucket, takeToken } from '../../domain/token-bucket.ts';

/** The quiet that an endpoint asked for. */
export interface Quiet {
  /** Milliseconds until it is over. */
  leftMs: number;
  /** The status with which it was asked for. */
  status: number;
}

/** How a whole poll of an endpoint ended. `late`: without an answer in time. `unknown`: not by the endpoint's doing. */
export type PollEnd = { end: 'answered'; tookMs: number } | { end: 'failed' | 'late' | 'unknown' };

/** What is remembered of hosts and endpoints so that they are not asked more than they bear. */
export interface Throttle {
  /** Takes a turn at a host and says how many milliseconds to wait for it; undefined: longer than `withinMs`. */
  acquire(host: string, withinMs: number): number | undefined;
  /** The quiet that an endpoint asked for and that is not over; undefined: none. */
  quiet(endpoint: string): Quiet | undefined;
  /** An endpoint asked for quiet (`Retry-After`). */
  pause(endpoint: string, ms: number, status: number): void;
  /** Whether an endpoint failed so often in a row that repeating a request within a poll is only a burden. */
  isOpen(endpoint: string): boolean;
  /** How long an answer of an endpoint is waited for, where `fullMs` is what the TargetApp allows. */
  patienceMs(endpoint: string, fullMs: number): number;
  record(endpoint: string, how: PollEnd): void;
}

/** What `createThrottle` may be told. */
export interface ThrottleOptions {
  /** How often one host may be asked. */
  rate: Rate;
  /** Polls in a row that must fail before retries stop. */
  failuresUntilDown: number;
  /** Longest quiet that an endpoint can ask for, in milliseconds: it cannot switch its own observation off. */
  longestPauseMs: number;
  /** Milliseconds since any fixed moment. */
  now(): number;
}

/** What is remembered of an endpoint. */
interface Endpoint {
  /** Polls in a row that failed, and those of them that ended without an answer in time. */
  failures: number;
  late: number;
  pausedUntil: number;
  pausedBy: number;
  /** How long its answers take, the slow ones above all; absent before the first. */
  usualMs?: number;
}

/** More hosts than one worker polls; what is forgotten beyond it is only a reason to be gentle. */
const remembered = 20_000;

/** A hanging endpoint is waited for in full at every so many polls. */
const fullEvery = 4;
/** Less than this is never waited. */
const shortestPatienceMs = 2_000;
/** So many times what an endpoint usually takes is enough to see that it is back. */
const patienceFactor = 3;

const untried: Readonly<Endpoint> = { failures: 0, late: 0, pausedUntil: 0, pausedBy: 0 };

const remember = <V>(map: Map<string, V>, key: string, value: V): void => {
  const oldest = map.size >= remembered && !map.has(key) ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
};

/** How long an endpoint is waited for that ended so many polls in a row, beyond those that are waited for in full, too late. */
const patienceOf = (more: number, usualMs: number | undefined, fullMs: number): number => {
  if (more < 0 || more % fullEvery === fullEvery - 1) return fullMs;
  const enoughMs = usualMs === undefined ? fullMs / fullEvery : usualMs * patienceFactor;
  return Math.min(fullMs, Math.max(shortestPatienceMs, enoughMs));
};

/** Notes one more poll that says something of an endpoint. In place: it is done at every poll. */
const note = (endpoint: Endpoint, how: PollEnd): void => {
  if (how.end === 'answered') {
    endpoint.usualMs = Math.max(how.tookMs, (endpoint.usualMs ?? 0) * 0.9);
    endpoint.pausedUntil = 0;
  }
  endpoint.failures = how.end === 'answered' ? 0 : endpoint.failures + 1;
  endpoint.late = how.end === 'late' ? endpoint.late + 1 : 0;
};

/**
 * A token bucket per host, and per endpoint a count of failed polls, what it usually takes, and the quiet that was asked
 * for.
 *
 * The breaker is deliberately not one that rejects calls: polls are rare and are themselves the probe. While an endpoint
 * is down each poll still asks it once, so a recovered application is noticed by the first poll after its recovery,
 * and what a breaker should save is saved: the repetitions, and most of the time that is spent waiting for one that hangs.
 */
export const createThrottle = ({ rate, failuresUntilDown, longestPauseMs, now }: ThrottleOptions): Throttle => {
  const buckets = new Map<string, TokenBucket>();
  const endpoints = new Map<string, Endpoint>();
  const known = (endpoint: string): Readonly<Endpoint> => endpoints.get(endpoint) ?? untried;
  return {
    acquire(host, withinMs) {
      const at = now();
      const { bucket, taken, waitMs } = takeToken(buckets.get(host) ?? fullBucket(rate, at), rate, at, withinMs);
      remember(buckets, host, bucket);
      return taken ? waitMs : undefined;
    },
    quiet(endpoint) {
      const { pausedUntil, pausedBy: status } = known(endpoint);
      const leftMs = pausedUntil - now();
      return leftMs > 0 ? { leftMs, status } : undefined;
    },
    pause(endpoint, ms, status) {
      const pausedUntil = now() + Math.min(ms, longestPauseMs);
      remember(endpoints, endpoint, { ...known(endpoint), pausedUntil, pausedBy: status });
    },
    isOpen: (endpoint) => known(endpoint).failures >= failuresUntilDown,
    patienceMs(endpoint, fullMs) {
      const { late, usualMs } = known(endpoint);
      return patienceOf(late - failuresUntilDown, usualMs, fullMs);
    },
    record(endpoint, how) {
      if (how.end === 'unknown') return;
      const noted = endpoints.get(endpoint) ?? { ...untried };
      note(noted, how);
      remember(endpoints, endpoint, noted);
    },
  };
};
