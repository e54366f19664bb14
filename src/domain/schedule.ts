import { fnv1a } from './hash.ts';

/**
 * When the next poll is due: every TargetApp has its own phase within the interval, so that a fleet does not poll at
 * once, and after an outage the next poll is the next instant of that phase: nothing is caught up. Epoch milliseconds.
 */
export function nextPollAt(uid: string, intervalMs: number, now: number): number {
  const phase = fnv1a(uid) % intervalMs;
  return now - ((((now - phase) % intervalMs) + intervalMs) % intervalMs) + intervalMs;
}
