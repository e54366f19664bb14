import { workflowInfo } from '@temporalio/workflow';

/** Events after which a run hands on to the next: below the server's own suggestion, far below its limit. */
const maxHistoryLength = 3_800;

/** The events of a history that is long enough to hand on; undefined while it is not. */
export function ripeLength(): number | undefined {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > maxHistoryLength ? historyLength : undefined;
}

/** Events that a turn which ends because the history is long enough lets come before it does so again. */
const patience = 100;

/** Whether a turn that waits is to end, so that the run can hand on. `begun`: events at its begin. */
export const isRipeSince = (begun: number): boolean => (ripeLength() ?? 0) > begun + patience;
