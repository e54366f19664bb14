import { ApplicationFailure, Context } from '@temporalio/activity';
import type { ActionRequest, ActionResult, ActionWait } from '../../domain/target-app/action.ts';
import { correlationId, type Log } from '../../telemetry/logger.ts';
import type { Redact } from '../../telemetry/redactor.ts';
import { type Action, Retry, Wait } from './actions/action.ts';
import { createRunAction, isRepeated, type RunActionOptions } from './run-action.ts';

export interface ActionActivityOptions extends RunActionOptions {
  log: Log;
  redact: Redact;
}

/** What every log line of an attempt says. */
const factsOf = (request: ActionRequest) => ({
  namespace: request.namespace,
  tapp: request.name,
  action: request.action,
  old_state: request.oldValue,
  new_state: request.newValue,
  action_id: request.id,
  correlation_id: correlationId(Context.current().info.workflowExecution?.runId ?? '', request.id),
});

const waitOf = ({ reason, message, afterMs, begun, progress }: Wait, request: ActionRequest): ActionWait => ({
  status: 'waiting',
  reason,
  message,
  afterMs,
  ...((begun || isRepeated(request)) && { begun: true }),
  ...(progress !== undefined && { progress }),
});

const isLastAttempt = ({ info }: Context): boolean =>
  info.attempt >= (info.retryPolicy?.maximumAttempts || Number.POSITIVE_INFINITY);

const failureOf = ({ reason, message, afterMs }: Retry, redact: Redact): ApplicationFailure =>
  ApplicationFailure.create({
    type: reason,
    message: redact(message),
    ...(afterMs !== undefined && { nextRetryDelay: Math.max(1, afterMs) }),
  });

/** The activity of one action: checks that the TargetApp asks for it, fills in the templates, runs it, logs it. */
export function createActionActivity({ log, redact, ...options }: ActionActivityOptions) {
  const run = createRunAction(options);

  /** One attempt. Throws only what Temporal is to retry. */
  return async <P>(action: Action<P>, request: ActionRequest, signal: AbortSignal): Promise<ActionResult> => {
    const facts = factsOf(request);
    try {
      const outcome = await run(action, request, signal);
      log.info('action finished', { ...facts, status: outcome.status, reason: outcome.reason });
      return redact(outcome);
    } catch (error) {
      if (error instanceof Wait) {
        log.info('action waiting', { ...facts, reason: error.reason, message: error.message });
        return redact(waitOf(error, request));
      }
      if (!(error instanceof Retry)) throw error;
      const { reason } = error;
      if (isLastAttempt(Context.current()))
        log.warning('action finished', { ...facts, status: 'failed', reason, error });
      else log.warning('action attempt failed, will retry', { ...facts, reason, error });
      throw failureOf(error, redact);
    }
  };
}
