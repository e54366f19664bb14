import { ActivityFailure, ApplicationFailure, CancellationScope, TimeoutFailure } from '@temporalio/workflow';
import { inSeconds } from '../../domain/seconds.ts';
import type { ActionOutcome } from '../../domain/target-app/action.ts';
import type { CompiledAction } from '../../domain/target-app/compiled-spec.ts';
import { failed, unknown } from '../../domain/target-app/outcomes.ts';

/**
 * What an action came to when its activity did not return an outcome. An action that may not be repeated and was lost
 * under way is `unknown`: it may have happened, and is not done again. Cancellation is rethrown.
 */
export function outcomeOfFailure(error: unknown, plan: CompiledAction): ActionOutcome {
  if (CancellationScope.current().consideredCancelled) throw error;
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return failed(cause.type ?? 'ActionFailed', cause.message);
  if (!plan.repeatable)
    return lost(cause instanceof TimeoutFailure ? 'the attempt was lost or ran out of time' : 'the attempt was lost');
  if (cause instanceof TimeoutFailure) return failed('Timeout', `no attempt ended within ${inSeconds(plan.timeoutMs)}`);
  return failed('ActionFailed', cause instanceof Error ? cause.message : 'failed');
}

const lost = (how: string): ActionOutcome =>
  unknown('OutcomeUnknown', `${how}; it may have taken effect and is not repeated`);
