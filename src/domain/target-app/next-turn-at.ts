import { nextPollAt } from '../schedule.ts';
import type { Memory } from './memory.ts';

/** How often an object that asks for nothing is looked at, in case a signal about it was lost. */
export const idleLookMs = 5 * 60_000;

/**
 * When to look next, epoch milliseconds: a turn waits by itself; a poll comes at its own phase, and a stopped TargetApp is only
 * looked at now and then.
 *
 * @param uid of the TargetApp
 */
export function nextTurnAt({ plan: spec, suspendedByUpdate }: Memory, uid: string, now: number): number {
  if (spec === undefined) return now + 1_000;
  if (spec.turnMs !== undefined) return now;
  if (spec.problems.length > 0 || suspendedByUpdate || spec.suspend) return now + idleLookMs;
  if (spec.suspendUntil !== undefined && now < spec.suspendUntil) return Math.min(now + idleLookMs, spec.suspendUntil);
  return nextPollAt(uid, spec.intervalMs, now);
}
