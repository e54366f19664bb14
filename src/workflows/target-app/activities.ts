import { proxyActivities, proxyLocalActivities, proxySinks, type Sinks, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ActionName } from '../../api/target-app/actions.ts';
import type { ActionRequest, ActionResult, OutcomeStatus } from '../../domain/target-app/action.ts';
import type { CompiledAction } from '../../domain/target-app/compiled-spec.ts';
import type { Observation } from '../../domain/target-app/observation.ts';
import { taskQueues } from '../../domain/task-queues.ts';
import { turnId } from '../../domain/turn-id.ts';
import { heartbeatTimeout } from '../activities.ts';

/**
 * Observes once, within the time that so many pods may need. Retried until it answers: an unanswered poll changes nothing.
 */
export const observing = (limitMs: number): Activities['observe'] =>
  proxyActivities<Activities>({
    startToCloseTimeout: limitMs,
    heartbeatTimeout,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: 'poll',
  }).observe;

/**
 * Polls until there is something to tell, for so long at most. Nobody beats for it, because that would cost more than the polls:
 * who holds it renews a Lease, and whoever sees that Lease run out releases the turn by its id. Null where it was ended.
 */
export const turning = (
  limitMs: number,
): ((...input: Parameters<Activities['observe']>) => Promise<Observation | null>) =>
  proxyActivities<Activities>({
    activityId: turnId,
    cancellationType: 'TRY_CANCEL',
    startToCloseTimeout: limitMs,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: 'polls until something differs',
  }).observe;

/** Comparing is quick and needs nothing but its input, so it runs inside the workflow task's worker. */
export const { diff } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 seconds',
  summary: 'compare with the last state',
});

/** Runs one action under its own timeout, as often as its promise allows. It may ask to wait. */
export function runAction(plan: CompiledAction, request: ActionRequest, summary: string): Promise<ActionResult> {
  const actions = proxyActivities<Record<ActionName, (request: ActionRequest) => Promise<ActionResult>>>({
    activityId: request.id,
    taskQueue: taskQueues.actions(workflowInfo().taskQueue),
    startToCloseTimeout: plan.timeoutMs,
    heartbeatTimeout,
    retry: {
      initialInterval: '1 second',
      maximumInterval: '1 minute',
      maximumAttempts: plan.repeatable ? plan.retries + 1 : 1,
    },
    summary,
  });
  return actions[plan.action as ActionName](request);
}

/** Counters of the worker that the decisions of TargetApps' workflows go into; not called again on replay. */
export interface DecisionSinks extends Sinks {
  decisions: {
    fired(action: string): void;
    suppressed(reason: string): void;
    /** An action has come to its end, in whatever way; `seconds` since it was decided. */
    ended(action: string, status: OutcomeStatus, seconds: number): void;
  };
}
export const { decisions } = proxySinks<DecisionSinks>();
