import { ActivityFailure, ApplicationFailure, CancellationScope, TimeoutFailure } from '@temporalio/workflow';
import type { ActionOutcome } from '../../domain/target-app/action.ts';
import type { CompiledAction } from '../../domain/target-app/compiled-spec.ts';

/**
 * What an action came to when its activity did not return an outcome. An action that may not be repeated and was lost
 * under way is `unknown`: it may have happened, and is not done again. Cancellation is rethrown.
 */
export function outcomeOfFailure(error: unknown, plan: CompiledAction): ActionOutcome {
  if (CancellationScope.current().consideredCancelled) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure)
    return { status: 'failed', reason: cause.type ?? 'ActionFailed', message: cause.message };
  if (!plan.repeatable)
    return unknown(
      cause instanceof TimeoutFailure ? 'the attempt was lost or ran out of time' : 'the attempt was lost',
    );
  if (cause instanceof TimeoutFailure)
    return {
      status: 'failed',
      reason: 'Timeout',
      message: `no attempt ended within ${Math.round(plan.timeoutMs / 1000)} s`,
    };
  return { status: 'failed', reason: 'ActionFailed', message: cause instanceof Error ? cause.message : 'failed' };
}

const unknown = (how: string): ActionOutcome => ({
  status: 'unknown',
  reason: 'OutcomeUnknown',
  message: `${how}; it may have taken effect and is not repeated`,
});
