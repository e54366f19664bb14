import { type Backoff, backoffMs } from '../backoff.ts';
import { equal } from '../diff.ts';
import { withEvents } from '../outbox.ts';
import { secondsOf } from '../seconds.ts';
import type { ActionOutcome, ActionWait } from './action.ts';
import { waitingEvent } from './action-events.ts';
import type { CompiledAction } from './compiled-spec.ts';
import type { Memory, PendingAction } from './memory.ts';
import { failed, refused } from './outcomes.ts';

/** The longest wait until an action that had to wait is tried again. */
const maxWaitMs = 30_000;
/** How long it is waited until a webhook is sent again; the longest wait holds whatever its receiver asks for. */
const deliveryBackoff: Backoff = { firstMs: 1_000, longestMs: 15 * 60_000 };

/** How long an action may wait in all: a webhook as it says, others as long as all their attempts together may take. */
export const patienceMs = ({ deliverForMs, timeoutMs, repeatable, retries }: CompiledAction): number =>
  deliverForMs ?? timeoutMs * (repeatable ? retries + 1 : 1);

/** When to call again after a call that ended with having to wait: later each time, and as the other side asked for. */
function callAgainAt({ plan, waits, giveUpAt }: PendingAction, { afterMs }: ActionWait, now: number): number {
  if (plan.deliverForMs === undefined) return now + Math.min(maxWaitMs, Math.round(afterMs * 1.5 ** waits));
  const at = now + Math.min(deliveryBackoff.longestMs, Math.max(afterMs, backoffMs(deliveryBackoff, waits + 1)));
  // The time that a webhook is given is used to its end.
  return now < giveUpAt ? Math.min(at, giveUpAt) : at;
}

/** The action as it goes on waiting; undefined when it has waited for long enough. */
export function waitingOn(action: PendingAction, wait: ActionWait, now: number): PendingAction | undefined {
  const { reason, message, progress } = wait;
  // Work that goes on is given its time anew.
  const goesOn = progress !== undefined && !equal(progress, action.request.progress);
  const current = goesOn ? { ...action, waits: 0, giveUpAt: now + patienceMs(action.plan) } : action;
  const notBefore = callAgainAt(current, wait, now);
  if (notBefore > current.giveUpAt) return undefined;
  const begun = action.begun ?? wait.begun;
  const request = {
    ...action.request,
    ...(begun && { begun }),
    ...(progress !== undefined && { progress }),
  };
  return { ...current, request, waits: current.waits + 1, notBefore, reason, message, ...(begun && { begun }) };
}

/** The memory with an action as it waits in the place of what it was; why it waits is told where that is another cause. */
export function withWaiting(memory: Memory, before: PendingAction, waiting: PendingAction, now: number): Memory {
  const pending = memory.pending.map((each) => (each.request.id === waiting.request.id ? waiting : each));
  const drafts = waiting.reason === before.reason ? [] : [waitingEvent(waiting)];
  return withEvents({ ...memory, pending }, drafts, now);
}

/** How an action ends that has waited for long enough. */
export function givenUp({ plan, waits, begun }: PendingAction, wait: ActionWait): ActionOutcome {
  const { reason, message } = wait;
  if (plan.deliverForMs !== undefined) {
    const seconds = Math.round(secondsOf(plan.deliverForMs));
    const within = seconds < 3_600 ? `${seconds} s` : `${Math.round(seconds / 360) / 10} h`;
    const attempts = waits === 0 ? 'one attempt' : `${waits + 1} attempts`;
    return failed('Undelivered', `not delivered within ${within}, after ${attempts}; the last one: ${message}`);
  }
  return (begun ?? wait.begun) ? failed(reason, message) : refused(reason, message, { undone: true });
}
