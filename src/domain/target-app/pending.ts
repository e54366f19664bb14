import { type Backoff, backoffMs } from '../backoff.ts';
import { brief, equal } from '../diff.ts';
import { own } from '../json.ts';
import { secondsOf } from '../seconds.ts';
import type { ActionOutcome, ActionWait } from './action.ts';
import type { CompiledAction } from './compiled-spec.ts';
import type { FiredRequest } from './firing.ts';
import type { Memory, PendingAction, Undelivered } from './memory.ts';
import { failed, refused } from './outcomes.ts';
import { type Load, loadKey } from './suppression.ts';

/** Actions of one TargetApp that have not ended: beyond it a rule is held back until there is room. */
const maxPending = 200;
/** Activities of one TargetApp that run at once, so that none takes all the room that others have. */
export const maxRunning = 20;
/** Characters that the requests of all pending actions may have together: they are handed on at continue-as-new. */
const maxPendingLength = 512 * 1024;
/** Length of a carried value where they have more. */
const shortValue = 128;
/** The longest wait until an action that had to wait is tried again. */
const maxWaitMs = 30_000;
/** How long it is waited until a webhook is sent again; the longest wait holds whatever its receiver asks for. */
const deliveryBackoff: Backoff = { firstMs: 1_000, longestMs: 15 * 60_000 };
/** Webhooks that are kept after they could not be delivered. */
const maxUndelivered = 20;

/** The lane of restarts: one after the other within a TargetApp. */
const restartLane = 'restart';

/** What an action must neither run beside nor overtake: others on the same pods, to the same receiver, other restarts. */
export function lanesOf({ receiver, paced, onPods }: CompiledAction, { pods }: Pick<FiredRequest, 'pods'>): string[] {
  if (receiver !== undefined) return [`to ${receiver}`];
  if (!onPods) return [];
  const own = pods.length > 0 ? pods.map(({ uid }) => uid) : ['any pod'];
  return paced ? [restartLane, ...own] : own;
}

/** What a workflow can take on beside what it has. */
export function loadOf({ pending }: Memory): Load {
  // Messages are queued up, so that none of them is lost; whatever is done to a pod is done for what holds now.
  const waiting = pending.filter(
    ({ request, plan }) => request.recovery === undefined && plan.deliverForMs === undefined,
  );
  return {
    room: maxPending - pending.length,
    waiting: new Set(waiting.map(({ key, subject }) => loadKey(key, subject))),
  };
}

/** Whether something was held back because of what had not ended, so that the end of an action may let it fire. */
export const isAnyBusy = ({ rules }: Pick<Memory, 'rules'>): boolean =>
  Object.values(rules).some(
    ({ episodes, missed }) =>
      missed !== undefined || Object.values(episodes).some(({ suppressed }) => suppressed?.includes('Busy')),
  );

/** A pending action whose carried values are cut where all of them together would get too long. */
function fitted(pending: readonly PendingAction[], added: PendingAction): PendingAction {
  if (JSON.stringify(pending).length + JSON.stringify(added.request).length <= maxPendingLength) return added;
  const { oldValue, newValue, values, ...request } = added.request;
  return {
    ...added,
    request: {
      ...request,
      ...(oldValue !== undefined && { oldValue: brief(oldValue, shortValue) ?? null }),
      ...(newValue !== undefined && { newValue: brief(newValue, shortValue) ?? null }),
      ...(values !== undefined && {
        values: Object.fromEntries(
          Object.entries(values).map(([path, value]) => [path, brief(value, shortValue) ?? null]),
        ),
      }),
    },
  };
}

/** The memory with one more action to be done. */
export const withPending = (memory: Memory, added: PendingAction): Memory => ({
  ...memory,
  pending: [...memory.pending, fitted(memory.pending, added)],
});

/** How long an action may wait in all: a webhook as it says, others as long as all their attempts together may take. */
export const patienceMs = ({ deliverForMs, timeoutMs, repeatable, retries }: CompiledAction): number =>
  deliverForMs ?? timeoutMs * (repeatable ? retries + 1 : 1);

/** Whether a later action may overtake this one: a restart for which it is not time yet holds up no other pod's. */
const letsPass = (action: PendingAction, lane: string, now: number): boolean =>
  lane === restartLane && !action.begun && action.notBefore > now;

/** The earlier action that one has to wait for; undefined when its turn has come. */
export function blockerOf(
  pending: readonly PendingAction[],
  action: PendingAction,
  running: ReadonlySet<string>,
  now: number,
): PendingAction | undefined {
  const earlier = pending.slice(
    0,
    pending.findIndex(({ request }) => request.id === action.request.id),
  );
  return earlier.find((other) =>
    other.lanes.some(
      (lane) => action.lanes.includes(lane) && (running.has(other.request.id) || !letsPass(other, lane, now)),
    ),
  );
}

/** Whether what an action was decided for is over, and there is no point in it any more. A message is told all the same. */
export function isPointless({ rules, plan }: Memory, { undo, plan: its, begun, key, subject }: PendingAction): boolean {
  if (undo === undefined || undo.edge !== undefined || begun || its.deliverForMs !== undefined) return false;
  // A rule that was taken out of the spec is the activity's to refuse.
  if (!plan?.rules.some((rule) => rule.key === key)) return false;
  return own(own(rules, key)?.episodes ?? {}, subject)?.since !== undo.since;
}

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

/** A webhook that could not be delivered, as it is kept. */
export function withUndelivered(memory: Memory, action: PendingAction, outcome: ActionOutcome, now: number): Memory {
  const { request, key, subject, plan, summary, lanes, waits } = action;
  const { reason, message } = outcome;
  const kept: Undelivered = { request, key, subject, plan, summary, lanes, at: now, calls: waits + 1, reason, message };
  return { ...memory, undelivered: [...memory.undelivered, kept].slice(-maxUndelivered) };
}

/**
 * Puts undelivered webhooks back, to be sent at once under the ids that they had, and lets those that wait be sent now.
 *
 * @param id of one of them; all without it
 */
export function redelivered(memory: Memory, id: string | undefined, now: number): { memory: Memory; ids: string[] } {
  const isWanted = ({ request, plan }: Pick<PendingAction, 'plan' | 'request'>): boolean =>
    plan.deliverForMs !== undefined && (id === undefined || request.id === id);
  const [again, left] = [memory.undelivered.filter(isWanted), memory.undelivered.filter((each) => !isWanted(each))];
  const back = again.map(
    ({ at: _, calls: __, reason: ___, message: ____, ...kept }): PendingAction => ({
      ...kept,
      request: { ...kept.request, begun: true },
      begun: true,
      waits: 0,
      notBefore: now,
      giveUpAt: now + patienceMs(kept.plan),
    }),
  );
  // One that is being sent at this moment is among those that somebody means.
  const waiting = memory.pending.filter((action) => isWanted(action) && action.waits > 0);
  const pending = memory.pending.map((action) =>
    waiting.includes(action) ? { ...action, notBefore: Math.min(action.notBefore, now) } : action,
  );
  return {
    memory: { ...memory, undelivered: left, pending: [...pending, ...back] },
    ids: [...waiting, ...back].map(({ request }) => request.id),
  };
}
