import { legible } from './text.ts';

/** A status condition as it is now, without since when. */
export type ConditionNow = Omit<StatusCondition, 'since'>;

/** A status condition, with a message that fits. */
export const condition = (status: ConditionNow['status'], reason: string, message: string): ConditionNow => ({
  status,
  reason,
  message: legible(message, 1024),
});

/** A status condition as it was last reported. */
export interface StatusCondition {
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  /** Epoch milliseconds of the last change of `status`. */
  since: number;
}
