import type { CompiledSpec } from './compiled-spec.ts';

/** What a look needs beside its queries, and what one may take whose plan is not known yet. */
export const marginMs = 5000;
export const unplannedMs = 15000;

/**
 * How long a look at so many pods may take, in milliseconds: the start-to-close limit that the workflow gives it, and
 * what the activity measures that limit by before it asks anybody.
 */
export const lookLimitMs = (plan: CompiledSpec | undefined, pods: number): number =>
  plan === undefined ? unplannedMs : plan.timeoutMs * Math.ceil(Math.max(1, pods) / plan.queriesAtOnce) + marginMs;
