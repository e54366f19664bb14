import { condition } from '@temporalio/workflow';
import { secondsOf } from '../../domain/seconds.ts';
import type { ActionOutcome, ActionResult } from '../../domain/target-app/action.ts';
import { blockerOf } from '../../domain/target-app/lanes.ts';
import type { Memory, PendingAction } from '../../domain/target-app/memory.ts';
import { failed } from '../../domain/target-app/outcomes.ts';
import { settled } from '../../domain/target-app/settle.ts';
import { isSuspended } from '../../domain/target-app/suspension.ts';
import { givenUp, waitingOn, withWaiting } from '../../domain/target-app/waiting.ts';
import { withdrawal } from '../../domain/target-app/withdrawal.ts';
import { commit } from '../commit.ts';
import type { RunState } from '../run-state.ts';
import { begin } from '../under-way.ts';
import { decisions as counters, runAction } from './activities.ts';
import { mirroredAt } from './mirror.ts';
import { outcomeOfFailure } from './outcome.ts';

/** Activities of one TargetApp that run at once, so that none takes all the room that others have. */
const maxRunning = 20;

type Run = RunState<Memory>;

/** Starts actions when their turn comes, until the object is gone. What waits is in the memory, and goes on in the next run. */
export async function pump(run: Run): Promise<void> {
  while (!run.deleted) {
    dispatch(run);
    const wake = wakeAt(run);
    const isUp = () => run.deleted || isAnyReady(run) || (wakeAt(run) ?? Number.POSITIVE_INFINITY) < (wake ?? 0);
    // Where time alone changes nothing a timer would only cost.
    if (wake === undefined) await condition(() => isUp() || wakeAt(run) !== undefined);
    else await condition(isUp, Math.max(1, wake - Date.now()));
  }
  dropPending(run);
}

const runningIds = ({ underWay }: Run): ReadonlySet<string> => new Set(underWay.keys());

/** Whether the status says that an action fires, or has not been able to say so for long enough. */
const isMirrored = (run: Run, action: PendingAction, now: number): boolean => now >= (mirroredAt(run, action) ?? now);

const isStopped = ({ memory: { plan: spec, suspendedByUpdate } }: Run, now: number): boolean =>
  isSuspended(spec, suspendedByUpdate, now);

const mayStart = (run: Run, action: PendingAction, now: number): boolean =>
  action.notBefore <= now &&
  !run.handingOn &&
  !isStopped(run, now) &&
  run.underWay.size < maxRunning &&
  isMirrored(run, action, now) &&
  blockerOf(run.memory.pending, action, runningIds(run), now) === undefined;

/** Whether there is something to do with an action now: to start it, or to withdraw it. */
const isReady = (run: Run, action: PendingAction, now: number): boolean =>
  !run.underWay.has(action.request.id) &&
  (withdrawal(run.memory, action, now) !== undefined || mayStart(run, action, now));

const isAnyReady = (run: Run): boolean => {
  const now = Date.now();
  return run.memory.pending.some((action) => isReady(run, action, now));
};

/** When time alone may make one of them ready, in epoch milliseconds; undefined when it cannot. */
function wakeAt(run: Run): number | undefined {
  const now = Date.now();
  const { plan: spec, pending } = run.memory;
  const times = pending
    .filter(({ request }) => !run.underWay.has(request.id))
    .flatMap((action) => [action.notBefore, mirroredAt(run, action) ?? now]);
  if (pending.length > 0 && isStopped(run, now) && spec?.suspendUntil !== undefined) times.push(spec.suspendUntil);
  const coming = times.filter((at) => at > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/** Does what is to be done now with each action that waits. */
function dispatch(run: Run): void {
  for (const action of run.memory.pending) {
    const now = Date.now();
    if (run.underWay.has(action.request.id)) continue;
    const end = withdrawal(run.memory, action, now);
    if (end !== undefined) settle(run, action, end);
    else if (mayStart(run, action, now)) start(run, action);
    else noteBlocked(run, action, now);
  }
}

/** Says once that an action has to wait for another one. */
function noteBlocked(run: Run, action: PendingAction, now: number): void {
  if (action.reason !== undefined || !isMirrored(run, action, now)) return;
  const blocker = blockerOf(run.memory.pending, action, runningIds(run), now);
  if (blocker === undefined) return;
  const message = `${blocker.plan.action} of ${blocker.request.rule} has not ended yet`;
  commit(run, withWaiting(run.memory, action, { ...action, reason: 'Waiting', message }, now));
}

const start = (run: Run, action: PendingAction): void =>
  begin(run, action.request.id, attempted(action), (result) => take(run, action, result));

async function attempted({ plan, request, summary }: PendingAction): Promise<ActionResult> {
  try {
    return await runAction(plan, request, summary);
  } catch (error) {
    const outcome = outcomeOfFailure(error, plan);
    // A delivery that was lost on its way is one that has not succeeded yet.
    if (plan.deliverForMs === undefined) return outcome;
    return { status: 'waiting', reason: outcome.reason, message: outcome.message, afterMs: 0, begun: true };
  }
}

/** Takes in what a call of an action came to. */
function take(run: Run, action: PendingAction, result: ActionResult): void {
  if (result.status !== 'waiting') settle(run, action, result);
  else if (run.deleted) settle(run, { ...action, ...(result.begun && { begun: true }) }, deletedBefore(result.message));
  else {
    const now = Date.now();
    const waiting = waitingOn(action, result, now);
    if (waiting === undefined) settle(run, action, givenUp(action, result));
    else commit(run, withWaiting(run.memory, action, waiting, now));
  }
}

/** Ends an action, or undoes its firing. */
function settle(run: Run, action: PendingAction, outcome: ActionOutcome): void {
  const now = Date.now();
  const { request, plan } = action;
  run.announced.delete(request.id);
  const { memory, isOver, suppressed, mayFire } = settled(run.memory, action, outcome, now);
  if (isOver) counters.ended(plan.action, outcome.status, secondsOf(now - request.at));
  if (suppressed !== undefined) counters.suppressed(suppressed);
  commit(run, memory);
  run.isDueSoon ||= mayFire;
}

const deletedBefore = (message: string | undefined): ActionOutcome =>
  failed(
    'Deleted',
    `the TargetApp was deleted before it was done${message === undefined ? '' : `; the last attempt: ${message}`}`,
  );

/** A TargetApp that is gone asks for nothing any more: what was begun and is not done is told. */
function dropPending(run: Run): void {
  const left = run.memory.pending.filter(({ request }) => !run.underWay.has(request.id));
  for (const action of left) if (action.begun) settle(run, action, deletedBefore(action.message));
  commit(run, { ...run.memory, pending: run.memory.pending.filter((action) => !left.includes(action)) }, 'turn');
}
