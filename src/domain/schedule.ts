import { fnv1a } from './hash.ts';
import type { Plan } from './target-app/compiled-spec.ts';

/** What a look needs beside its queries, and what one may take whose plan is not known yet. */
const marginMs = 5_000;
const unplannedMs = 15_000;

/**
 * How long a look at so many pods may take, in milliseconds: the start-to-close limit that the workflow gives it, and
 * what the activity measures that limit by before it asks anybody.
 */
export const lookLimitMs = (plan: Plan | undefined, pods: number): number =>
  plan === undefined ? unplannedMs : plan.timeoutMs * Math.ceil(Math.max(1, pods) / plan.queriesAtOnce) + marginMs;

/**
 * When the next poll is due: every TargetApp has its own phase within the interval, so that a fleet does not poll at
 * once, and after an outage the next poll is the next instant of that phase: nothing is caught up. Epoch milliseconds.
 */
export function nextPollAt(uid: string, intervalMs: number, now: number): number {
  const phase = fnv1a(uid) % intervalMs;
  return now - ((((now - phase) % intervalMs) + intervalMs) % intervalMs) + intervalMs;
}
