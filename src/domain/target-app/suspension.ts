import type { CompiledSpec } from './compiled-spec.ts';

/** Whether a TargetApp is stopped on purpose at this time. */
export const isSuspended = (plan: CompiledSpec | undefined, held: boolean | undefined, now: number): boolean =>
  Boolean(held || plan?.suspend || (plan?.suspendUntil !== undefined && now < plan.suspendUntil));

/** Whether nobody is asked at this time: it is suspended, or its spec cannot be understood. */
export const isStopped = (plan: CompiledSpec | undefined, held: boolean | undefined, now: number): boolean =>
  (plan?.problems.length ?? 0) > 0 || isSuspended(plan, held, now);
