import { own } from '../json.ts';
import type { ActionOutcome } from './action.ts';
import type { Memory, PendingAction } from './memory.ts';
import { refused } from './outcomes.ts';
import { isSuspended } from './suspension.ts';

const recovered = refused('Recovered', 'it was over before its turn came; nothing was done', { undone: true });
const suspended = refused('Suspended', 'suspended before its turn came', { undone: true });

/** Whether what an action was decided for is over, and there is no point in it any more. A message is told all the same. */
function isPointless({ rules, plan: spec }: Memory, { undo, plan: its, begun, key, subject }: PendingAction): boolean {
  if (undo === undefined || undo.edge !== undefined || begun || its.deliverForMs !== undefined) return false;
  // A rule that was taken out of the spec is the activity's to refuse.
  if (!spec?.rules.some((rule) => rule.key === key)) return false;
  return own(own(rules, key)?.episodes ?? {}, subject)?.since !== undo.since;
}

/**
 * What has not begun when a suspension comes is judged anew after it. Messages, what is half done, and the end of an incident,
 * which nothing would decide again, go on then.
 */
const isJudgedAnew = ({ undo, begun, plan: its }: PendingAction): boolean =>
  undo !== undefined && !begun && its.deliverForMs === undefined;

/** How an action that has not begun ends before its turn comes; undefined when it does not. */
export function withdrawal(memory: Memory, action: PendingAction, now: number): ActionOutcome | undefined {
  if (isPointless(memory, action)) return recovered;
  const isStopped = isSuspended(memory.plan, memory.suspendedByUpdate, now);
  return isStopped && isJudgedAnew(action) ? suspended : undefined;
}
