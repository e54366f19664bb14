import type { ConditionMemory } from './memory.ts';

/** A status condition as it is now, without since when. */
export type Judged = Omit<ConditionMemory, 'since'>;

/** A status condition, with a message that fits. */
export const condition = (status: Judged['status'], reason: string, message: string): Judged => ({
  status,
  reason,
  message: message.slice(0, 1024),
});
