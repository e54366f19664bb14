import { fnv1a } from './hash.ts';

/** Polls that are due within the same tick are sent together: what a request costs is mostly the waking up for it. */
export const tickMs = 250;

/**
 * When the next poll is due: every TargetApp has its own phase within the interval, so that a fleet does not poll at
 * once, and after an outage the next poll is the next instant of that phase: nothing is caught up. Epoch milliseconds.
 */
export function nextPollAt(uid: string, intervalMs: number, now: number): number {
  const phase = fnv1a(uid) % intervalMs;
  return now - ((((now - phase) % intervalMs) + intervalMs) % intervalMs) + intervalMs;
}

/** The first tick that is not before the next poll; epoch milliseconds. */
export const nextTickOfPoll = (uid: string, intervalMs: number, now: number): number =>
  tickMs * Math.ceil(nextPollAt(uid, intervalMs, now) / tickMs);
