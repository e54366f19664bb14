import { rootCause } from '@temporalio/common';
import { allHandlersFinished, condition, continueAsNew, isCancellation, log, workflowInfo } from '@temporalio/workflow';
import { eventsPerRun as eventsOfNext } from '../domain/events-per-run.ts';
import type { ObjectRef } from '../domain/refs.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import { setFinalizer } from './activities.ts';
import { commit } from './commit.ts';
import { handleMessages } from './handlers.ts';
import { heartbeatAt } from './heartbeat.ts';
import { ripeLength } from './history.ts';
import { reported, startReporting } from './report.ts';
import type { Observed, ResourceKind, There } from './resource-kind.ts';
import { newRun, type RunState } from './run-state.ts';
import { updateVisibility } from './visibility.ts';

/** What a resource's workflow starts with: a reference, and after continue-as-new what it knows. */
export interface ResourceInput<M extends ResourceMemory, O extends Observed> {
  app: ObjectRef;
  /** What was seen of the object before it began, told as its first observation. */
  seen?: O;
  memory?: M;
  /** Names of the search attributes that Temporal has; absent: all. */
  attributes?: string[];
  /** As in the memory, which has it from then on. */
  sparing?: true;
  /** Events after which it hands on, while turns hold its observations, as soon as nothing is under way; absent: only when it has to. */
  eventsPerRun?: number;
}

/**
 * How much longer a history may get, once it is long enough, before nothing begins until the run can hand on: a factor. The
 * server suggests to hand on by events or by bytes, and ends a workflow at some twelve times either.
 */
const overdueFactor = 4;

/** How long an observation that has failed is not made again, where the next one is due at once: milliseconds. */
const blindMs = 10_000;

/**
 * The workflow of one custom resource, of whatever kind: observe, plan, act, report, and wait until time or a signal asks for
 * another turn, until the object is gone. A new run begins with a turn, so continue-as-new cannot lose a signal.
 */
export const resourceWorkflow =
  <M extends ResourceMemory, O extends Observed>(kind: ResourceKind<M, O>) =>
  async ({
    app,
    memory = kind.newMemory(),
    attributes,
    seen,
    sparing,
    eventsPerRun,
  }: ResourceInput<M, O>): Promise<void> => {
    const run = newRun(kind, app, { ...memory, ...(sparing && { sparing }) }, attributes);
    handleMessages(run);
    kind.handle?.(run);
    startReporting(run);
    const background = kind.background?.(run);
    let first = seen;
    let ripeAt: number | undefined;
    for (;;) {
      await turn(run, kind, first);
      first = undefined;
      if (run.deleted) break;
      ripeAt ??= ripeLength();
      const most = kind.isByTurns?.(run.memory) ? eventsPerRun : undefined;
      const isLong = workflowInfo().historyLength > (most ?? Number.POSITIVE_INFINITY);
      if ((isLong || ripeAt !== undefined) && (await canHandOn(run, ripeAt)))
        await continueAsNew({
          ...{ app, memory: kind.fitted(run.memory), attributes: run.attributes },
          ...{ sparing: true, eventsPerRun: eventsOfNext },
        });
      await untilNextTurn(run, kind);
    }
    await background;
    await condition(() => run.underWay.size === 0 && allHandlersFinished());
    await reported(run, '30 seconds');
  };

/** Whether nothing is under way whose end belongs to this run: an action, or an answer. A new run begins with a turn anyway. */
const isSettled = <M extends ResourceMemory>(run: RunState<M>): boolean =>
  run.underWay.size === 0 && allHandlersFinished();

/**
 * Whether the next run can take over. Asked again after each wait, because signals come meanwhile.
 *
 * @param ripeAt the events of the history when the next run became necessary; undefined: it is only wanted
 */
async function canHandOn<M extends ResourceMemory>(run: RunState<M>, ripeAt: number | undefined): Promise<boolean> {
  // Whoever was answered by this turn is one step from its end; whoever was not has asked for another one.
  await condition(() => allHandlersFinished() || run.dirty);
  if (!allHandlersFinished()) return false;
  const isOverdue = ripeAt !== undefined && workflowInfo().historyLength > overdueFactor * ripeAt;
  if (run.underWay.size > 0 && !isOverdue) return false;
  // From here on no action begins, because one that began now would have to be waited for; those that wait are handed on.
  run.handingOn = true;
  // Where some action always runs, turns have to stop for once until they have ended.
  await condition(() => run.underWay.size === 0 || !allHandlersFinished());
  await reported(run, '5 seconds');
  run.handingOn = isSettled(run);
  return run.handingOn;
}

/** Observes once, and does what follows from it. */
async function turn<M extends ResourceMemory, O extends Observed>(
  run: RunState<M>,
  kind: ResourceKind<M, O>,
  first: O | undefined,
): Promise<void> {
  // Cleared before observing: a signal that comes meanwhile leads to another turn.
  const fresh = run.dirty && run.turns > 0;
  run.dirty = false;
  run.turnsStarted += 1;
  const seen = await observed(run, kind, fresh, first);
  if (seen?.attributes !== undefined) run.attributes = seen.attributes ?? undefined;
  if (seen !== undefined) run.deleted = seen.deleted === true || (await released(run, kind, seen));
  if (seen !== undefined && !run.deleted) {
    run.judgedAt = Date.now();
    const { memory, isNews, again, follow } = kind.plan(run, seen as There<O>, run.judgedAt);
    run.dirty ||= again === true;
    commit(run, memory, isNews || run.turns === 0 ? 'news' : 'turn');
    follow?.();
    updateVisibility(run);
  }
  run.turns = run.turnsStarted;
}

/** Sees to the finalizer of a kind that has one. Whether the object is let go: it is cleaned up after, and nothing is left to do. */
async function released<M extends ResourceMemory, O extends Observed>(
  run: RunState<M>,
  kind: ResourceKind<M, O>,
  { isHeld, isTerminating }: O,
): Promise<boolean> {
  if (kind.finalize === undefined) return isTerminating === true;
  if (isTerminating) await kind.finalize(run);
  if (isTerminating || !isHeld) await setFinalizer(kind.kind, run.app, !isTerminating);
  return isTerminating === true;
}

/** A turn that fails for good (what it saw cannot be carried, say) is one that has seen nothing; the next one may. */
async function observed<M extends ResourceMemory, O extends Observed>(
  run: RunState<M>,
  kind: ResourceKind<M, O>,
  fresh: boolean,
  first: O | undefined,
): Promise<O | undefined> {
  run.isBlind = false;
  try {
    return await kind.observe(run, fresh, first);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('observation failed, will retry', { error: rootCause(error) });
    run.isBlind = true;
    return undefined;
  }
}

/** Waits for the next turn or a signal, and meanwhile keeps the status's heartbeat. */
async function untilNextTurn<M extends ResourceMemory, O extends Observed>(
  run: RunState<M>,
  kind: ResourceKind<M, O>,
): Promise<void> {
  const now = Date.now();
  const due = kind.nextTurnAt(run, now);
  // A kind that waits within its observation would fail again and again without a pause.
  run.due = run.isBlind && due <= now ? now + blindMs : due;
  while (!run.dirty && Date.now() < run.due) {
    const wake = Math.min(run.due, heartbeatAt(run));
    // The end of a status's writing says when the next heartbeat is due.
    await condition(() => run.dirty || heartbeatAt(run) < wake, Math.max(1, wake - Date.now()), {
      summary: wake === run.due ? 'next poll' : 'status due',
    });
    // Whoever writes it begins now; until then it would be due again at once.
    if (Date.now() >= heartbeatAt(run)) await condition(() => run.writing.has('status'));
  }
  if (run.dirty) run.due = Date.now();
}
