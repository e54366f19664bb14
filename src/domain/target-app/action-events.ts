import type { EventDraft } from '../events.ts';
import { likeness } from '../likeness.ts';
import type { ActionOutcome, ActionRequest, OutcomeStatus } from './action.ts';
import type { EventReason } from './event-reasons.ts';
import { draft } from './event-text.ts';
import type { PendingAction } from './memory.ts';

const outcomeReasons: Record<OutcomeStatus, { type: EventDraft['type']; reason: EventReason }> = {
  dryRun: { type: 'Normal', reason: 'ActionDryRun' },
  failed: { type: 'Warning', reason: 'ActionFailed' },
  refused: { type: 'Warning', reason: 'ActionRefused' },
  succeeded: { type: 'Normal', reason: 'ActionSucceeded' },
  unknown: { type: 'Warning', reason: 'ActionOutcomeUnknown' },
};

/** The Event of an action's end. */
export function outcomeEvent(
  request: Pick<ActionRequest, 'rule' | 'action' | 'pods'>,
  outcome: ActionOutcome,
): EventDraft {
  const { type, reason } = outcomeReasons[outcome.status];
  const cause = outcome.status === 'succeeded' || outcome.status === 'dryRun' ? '' : ` (${outcome.reason})`;
  return draft({
    type,
    reason,
    spared: true,
    message: `${request.rule}: ${request.action}${cause}: ${outcome.message}`,
    pod: request.pods[0],
    sameAs: `${request.rule}/${request.action}${cause}/${likeness(outcome.message)}`,
  });
}

/** The Event of an action that was decided, and whose firing is taken back because nothing of it was begun. */
export const heldBackEvent = ({ request, summary }: PendingAction, reason: string, message: string): EventDraft =>
  draft({
    type: 'Normal',
    reason: 'TriggerSuppressed',
    message: `${summary}, but it is held back (${reason}): ${message}`,
    pod: request.pods[0],
    sameAs: `${request.rule}/${reason}`,
  });

/** The Event of an action that has to wait. */
export const waitingEvent = ({ request, reason, message }: PendingAction): EventDraft =>
  draft({
    type: 'Normal',
    reason: 'ActionWaiting',
    message: `${request.rule}: ${request.action} waits (${reason}): ${message}`,
    pod: request.pods[0],
    sameAs: `${request.rule}/${reason}`,
  });
