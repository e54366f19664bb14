import {
  type ActivityOptions,
  proxyActivities,
  proxyLocalActivities,
  proxySinks,
  type Sinks,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { DropReason } from '../../domain/events.ts';
import type { ActionRequest, ActionResult, OutcomeStatus } from '../../domain/target-app/action.ts';
import type { CompiledAction } from '../../domain/target-app/compiled-spec.ts';
import { taskQueues } from '../../domain/task-queues.ts';

/** A dead worker is noticed by its missing heartbeats: this is how long an interrupted activity stays undecided. */
const heartbeatTimeout = '10 seconds';

/** Observes within the time that so many pods may need. Retried until it answers: an unanswered look changes nothing. */
export const observing = (limitMs: number): Activities['observe'] =>
  proxyActivities<Activities>({
    startToCloseTimeout: limitMs,
    heartbeatTimeout,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: 'poll',
  }).observe;

/** Comparing is quick and needs nothing but its input, so it runs inside the workflow task's worker. */
export const { diff } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 seconds',
  summary: 'compare with the last state',
});

const written = (queue: 'events' | 'reports'): ActivityOptions => ({
  taskQueue: taskQueues[queue](workflowInfo().taskQueue),
  startToCloseTimeout: '15 seconds',
  heartbeatTimeout,
});

/** Writes a status; repeated without effect, so it is retried until it succeeds. */
export const reportStatus: Activities['reportStatus'] = (...report) =>
  proxyActivities<Activities>({
    ...written('reports'),
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: 'write status',
  }).reportStatus(...report);

/** Records Events, once: those that are not taken are to be tried again apart from the others. */
export const recordEvents: Activities['recordEvents'] = (...events) =>
  proxyActivities<Activities>({
    ...written('events'),
    retry: { maximumAttempts: 1 },
    summary: 'record Events',
  }).recordEvents(...events);

/** Tries again for a while. Not for ever, so that others have their turn. */
export const recordEventsAgain: Activities['recordEvents'] = (...events) =>
  proxyActivities<Activities>({
    ...written('events'),
    scheduleToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', backoffCoefficient: 1.5, maximumInterval: '15 seconds' },
    summary: 'record Events again',
  }).recordEvents(...events);

/** Runs one action under its own timeout, as often as its promise allows. It may ask to wait. */
export function runAction(plan: CompiledAction, request: ActionRequest, summary: string): Promise<ActionResult> {
  const actions = proxyActivities<Record<string, (request: ActionRequest) => Promise<ActionResult>>>({
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
  const action = actions[plan.action];
  if (action === undefined) throw new TypeError(`no action is called ${plan.action}`);
  return action(request);
}

/** Counters of the worker that a workflow's decisions go into; not called again on replay. */
export interface DecisionSinks extends Sinks {
  decisions: {
    /** Events that are not told, and why. */
    dropped(reason: DropReason, count: number): void;
    fired(action: string): void;
    suppressed(reason: string): void;
    /** An action has come to its end, in whatever way; `seconds` since it was decided. */
    ended(action: string, status: OutcomeStatus, seconds: number): void;
  };
}
export const { decisions } = proxySinks<DecisionSinks>();
