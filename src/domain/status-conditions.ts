import type { ConditionMemory } from './target-app/memory.ts';
import { legible } from './text.ts';

/** A status condition as it is now, without since when. */
export type Judged = Omit<ConditionMemory, 'since'>;

/** A status condition, with a message that fits. */
export const condition = (status: Judged['status'], reason: string, message: string): Judged => ({
  status,
  reason,
  message: legible(message, 1024),
});
