import { condition } from '@temporalio/workflow';
import { withEvents } from '../../domain/outbox.ts';
import type { ObjectRef } from '../../domain/refs.ts';
import { secondsOf } from '../../domain/seconds.ts';
import type { ActionOutcome, ActionResult } from '../../domain/target-app/action.ts';
import type { CompiledAction } from '../../domain/target-app/compiled-spec.ts';
import { firedText, recoveredText, waitingEvent } from '../../domain/target-app/event-messages.ts';
import type { Memory, PendingAction } from '../../domain/target-app/memory.ts';
import { failed, refused } from '../../domain/target-app/outcomes.ts';
import {
  blockerOf,
  givenUp,
  isAnyBusy,
  isPointless,
  lanesOf,
  maxRunning,
  patienceMs,
  waitingOn,
  withPending,
} from '../../domain/target-app/pending.ts';
import type { Decision } from '../../domain/target-app/rules.ts';
import { settled } from '../../domain/target-app/settle.ts';
import { isSuspended } from '../../domain/target-app/status.ts';
import { commit } from '../commit.ts';
import type { RunState } from '../run-state.ts';
import { begin } from '../under-way.ts';
import { decisions as counters, runAction } from './activities.ts';
import { outcomeOfFailure } from './outcome.ts';

/** How long an action waits until the status says that it fires; a restart cannot be done without the API server anyway. */
const mirrorMs = 5_000;

type Run = RunState<Memory>;

type Firing = Pick<PendingAction, 'key' | 'plan' | 'request' | 'subject' | 'summary' | 'undo'>;

/** The memory with the actions of decisions to be done, beside the polling and in the order in which they were decided; and their ids. */
export function withActions(
  memory: Memory,
  app: ObjectRef,
  decisions: Decision[],
  now: number,
): { memory: Memory; ids: string[] } {
  const firings = decisions.flatMap((decision) =>
    decision.kind === 'fire' || decision.kind === 'recover' ? firingsOf(app, decision) : [],
  );
  const pending = firings.reduce(
    (before, firing) =>
      withPending(before, {
        ...firing,
        lanes: lanesOf(firing.plan, firing.request),
        waits: 0,
        notBefore: now,
        giveUpAt: now + patienceMs(firing.plan),
      }),
    memory,
  );
  return { memory: pending, ids: firings.map(({ request }) => request.id) };
}

/** Lets actions wait until the status says that they were decided. */
export function announce(run: Run, ids: string[]): void {
  for (const id of ids) run.announced.set(id, { version: run.version, at: Date.now() });
}

function firingsOf(app: ObjectRef, decision: Extract<Decision, { kind: 'fire' | 'recover' }>): Firing[] {
  const { rule, subject } = decision;
  if (decision.kind === 'fire') {
    const { request, undo } = decision;
    const summary = firedText(rule, request);
    return [{ key: rule.key, plan: planOfAction(rule), request: { ...app, ...request }, subject, summary, undo }];
  }
  return decision.requests.flatMap((request, index) => {
    const plan = rule.onRecovery?.[index];
    const summary = recoveredText(rule, decision.pod, request);
    return plan === undefined ? [] : [{ key: rule.key, plan, request: { ...app, ...request }, subject, summary }];
  });
}

/** What of a rule goes with its actions: the rule itself may be edited before they end. */
function planOfAction(rule: CompiledAction): CompiledAction {
  const { action, content, timeoutMs, retries, repeatable, onPods, receiver, deliverForMs, paced } = rule;
  return {
    ...{ action, content, timeoutMs, retries, repeatable, onPods },
    ...(receiver !== undefined && { receiver }),
    ...(deliverForMs !== undefined && { deliverForMs }),
    ...(paced && { paced }),
  };
}

/** Starts actions when their turn comes, until the object is gone. What waits is in the memory, and goes on in the next run. */
export async function pump(run: Run): Promise<void> {
  while (!run.deleted) {
    dispatch(run);
    const wake = wakeAt(run);
    const isUp = () => run.deleted || isTurnOfAny(run) || (wakeAt(run) ?? Number.POSITIVE_INFINITY) < (wake ?? 0);
    // Where time alone changes nothing a timer would only cost.
    if (wake === undefined) await condition(() => isUp() || wakeAt(run) !== undefined);
    else await condition(isUp, Math.max(1, wake - Date.now()));
  }
  dropPending(run);
}

const runningIds = ({ underWay }: Run): ReadonlySet<string> => new Set(underWay.keys());

/** Whether the status says that an action fires, or has not been able to say so for long enough. */
function isMirrored({ announced, reportedVersion }: Run, { request }: PendingAction, now: number): boolean {
  const decided = announced.get(request.id);
  return decided === undefined || reportedVersion >= decided.version || now - decided.at >= mirrorMs;
}

const isStopped = ({ memory: { plan, suspendedByUpdate: held } }: Run, now: number): boolean =>
  isSuspended(plan, held, now);

/** What has not begun when a suspension comes is judged anew after it; messages, and what is half done, go on then. */
const isWithdrawn = (run: Run, { begun, plan }: PendingAction, now: number): boolean =>
  isStopped(run, now) && !begun && plan.deliverForMs === undefined;

const mayStart = (run: Run, action: PendingAction, now: number): boolean =>
  action.notBefore <= now &&
  !run.handingOn &&
  !isStopped(run, now) &&
  run.underWay.size < maxRunning &&
  isMirrored(run, action, now) &&
  blockerOf(run.memory.pending, action, runningIds(run), now) === undefined;

const isTurnOf = (run: Run, action: PendingAction, now: number): boolean =>
  !run.underWay.has(action.request.id) &&
  (isPointless(run.memory, action) || isWithdrawn(run, action, now) || mayStart(run, action, now));

const isTurnOfAny = (run: Run): boolean => {
  const now = Date.now();
  return run.memory.pending.some((action) => isTurnOf(run, action, now));
};

/** When time alone may bring somebody's turn, in epoch milliseconds; undefined when it cannot. */
function wakeAt(run: Run): number | undefined {
  const now = Date.now();
  const { plan, pending } = run.memory;
  const times = pending
    .filter(({ request }) => !run.underWay.has(request.id))
    .flatMap((action) => {
      const decided = run.announced.get(action.request.id);
      const mirroredAt = decided === undefined || isMirrored(run, action, now) ? [] : [decided.at + mirrorMs];
      return [action.notBefore, ...mirroredAt];
    });
  if (pending.length > 0 && isStopped(run, now) && plan?.suspendUntil !== undefined) times.push(plan.suspendUntil);
  const coming = times.filter((at) => at > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

/** Does what is to be done now with each action that waits. */
function dispatch(run: Run): void {
  for (const action of run.memory.pending) {
    const now = Date.now();
    if (!isTurnOf(run, action, now)) noteBlocked(run, action, now);
    else if (isPointless(run.memory, action)) settle(run, action, isOver);
    else if (isWithdrawn(run, action, now)) settle(run, action, isSuspendedNow);
    else start(run, action);
  }
}

const isOver = refused('Recovered', 'it was over before its turn came; nothing was done', { undone: true });
const isSuspendedNow = refused('Suspended', 'suspended before its turn came', { undone: true });

/** Says once that an action has to wait for another one. */
function noteBlocked(run: Run, action: PendingAction, now: number): void {
  if (action.reason !== undefined || run.underWay.has(action.request.id) || !isMirrored(run, action, now)) return;
  const blocker = blockerOf(run.memory.pending, action, runningIds(run), now);
  if (blocker === undefined) return;
  const message = `${blocker.plan.action} of ${blocker.request.rule} has not ended yet`;
  replace(run, action, { ...action, reason: 'Waiting', message });
}

/** Puts an action's new state in the place of the old one, and tells why it waits. */
function replace(run: Run, action: PendingAction, next: PendingAction): void {
  const now = Date.now();
  const pending = run.memory.pending.map((each) => (each.request.id === action.request.id ? next : each));
  const isNews = next.reason !== action.reason;
  const memory = withEvents({ ...run.memory, pending }, isNews ? [waitingEvent(next)] : [], now);
  commit(run, memory);
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
    const waiting = waitingOn(action, result, Date.now());
    if (waiting === undefined) settle(run, action, givenUp(action, result));
    else replace(run, action, waiting);
  }
}

/** Ends an action, or undoes its firing. */
function settle(run: Run, action: PendingAction, outcome: ActionOutcome): void {
  const now = Date.now();
  const { request, plan } = action;
  run.announced.delete(request.id);
  const { memory, isOver: hasEnded, suppressed } = settled(run.memory, action, outcome, now);
  if (hasEnded) counters.ended(plan.action, outcome.status, secondsOf(now - request.at));
  if (suppressed !== undefined) counters.suppressed(suppressed);
  commit(run, memory);
  run.isDueSoon ||= !hasEnded || isAnyBusy(memory);
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
