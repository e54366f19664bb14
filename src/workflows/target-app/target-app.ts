import { CancellationScope, condition, workflowInfo } from '@temporalio/workflow';
import type { Changes } from '../../domain/diff.ts';
import { withEvents } from '../../domain/outbox.ts';
import { nextPollAt } from '../../domain/schedule.ts';
import { applyObservation } from '../../domain/target-app/apply-observation.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import { changedPairs, decide } from '../../domain/target-app/decide.ts';
import { detailsOf } from '../../domain/target-app/details.ts';
import { dueAt } from '../../domain/target-app/due-at.ts';
import { phaseEvents } from '../../domain/target-app/event-messages.ts';
import { fitted } from '../../domain/target-app/fit-memory.ts';
import { lookLimitMs } from '../../domain/target-app/look-limit.ts';
import { fingerprintOf, type Memory, newMemory } from '../../domain/target-app/memory.ts';
import { isNews, type Observation, type ObserveInput, type TurnInput } from '../../domain/target-app/observation.ts';
import { loadOf } from '../../domain/target-app/pending.ts';
import type { Decision } from '../../domain/target-app/rules.ts';
import { conditions, isSuspended, phaseOf, podCounts, statusOf } from '../../domain/target-app/status.ts';
import { isRipeSince } from '../history.ts';
import type { Planned, ResourceKind } from '../resource-kind.ts';
import { resourceWorkflow } from '../resource-workflow.ts';
import type { RunState } from '../run-state.ts';
import { announce, pump, withActions } from './act.ts';
import { decisions as counters, diff, observing } from './activities.ts';
import { handleRedeliver } from './handlers.ts';

type Run = RunState<Memory>;

/** How often an object that asks for nothing is looked at, in case a signal about it was lost. */
const idleLookMs = 5 * 60_000;

/** What was seen, and how the states differ from those before. */
interface Seen extends Observation {
  changes: Changes;
}

async function observe(run: Run, fresh: boolean): Promise<Seen | undefined> {
  const { memory } = run;
  const seen = await (isSingle(memory, fresh) ? poll(run, fresh) : turn(run));
  return seen === undefined ? undefined : { ...seen, changes: await changesIn(memory, seen) };
}

/** Whether the next observation is one poll, at once: the first one, one that was asked for, or each of them. */
const isSingle = ({ plan: spec }: Memory, fresh: boolean): boolean => fresh || spec?.turnMs === undefined;

/** What every poll is told. */
function inputOf({ app, due, memory, attributes }: Run): ObserveInput {
  const { plan: spec, subjects, suspendedByUpdate, pollRequested } = memory;
  const known = Object.fromEntries(Object.entries(subjects).map(([subject, what]) => [subject, fingerprintOf(what)]));
  return {
    app,
    due,
    known,
    ...(spec !== undefined && { plan: spec.digest }),
    ...(suspendedByUpdate && { held: true }),
    ...(pollRequested !== undefined && { pollRequested }),
    ...(attributes !== undefined && { attributes }),
  };
}

function poll(run: Run, fresh: boolean): Promise<Observation> {
  const { plan: spec, matched } = run.memory;
  const limitMs = lookLimitMs(spec, matched);
  return observing(limitMs, 'poll')({ ...inputOf(run), ...(fresh && { fresh }) });
}

/** A turn, until it ends by itself or something makes it void: then it has seen nothing, and the next one begins. */
async function turn(run: Run): Promise<Observation | undefined> {
  const asked = turnOf(run);
  run.isDueSoon = false;
  const scope = new CancellationScope();
  const limitMs = asked.lengthMs + lookLimitMs(run.memory.plan, run.memory.matched) + turnMarginMs;
  const ended = scope.run(() => observing(limitMs, 'polls until something differs')({ ...inputOf(run), turn: asked }));
  const { historyLength } = workflowInfo();
  const isVoid = scope.run(() => condition(() => run.dirty || run.isDueSoon || isRipeSince(historyLength)));
  try {
    const seen = await Promise.race([ended, isVoid.then(() => undefined)]);
    return seen?.unasked === 'moved' ? undefined : seen;
  } finally {
    // Of the two, the one that has lost is not waited for.
    for (const left of [ended, isVoid]) void left.catch(() => undefined);
    scope.cancel();
  }
}

/** More than a turn takes to notice that it is over. */
const turnMarginMs = 60_000;

function turnOf({ memory, judgedAt, isDueSoon }: Run): TurnInput {
  const { plan: spec, matched, nothingRuns, podsUnknown } = memory;
  const until = isDueSoon ? 0 : dueAt(memory, judgedAt);
  return {
    seen: {
      matched,
      ...(nothingRuns && { nothingRuns }),
      ...(podsUnknown !== undefined && { podsUnknown }),
    },
    ...(spec !== undefined && isStopped(memory, spec, Date.now()) && { stopped: true as const }),
    lengthMs: Math.round((spec?.turnMs ?? 0) * (0.9 + 0.2 * Math.random())),
    ...(Number.isFinite(until) && { until }),
  };
}

/** Compares the states that were seen with those before. */
async function changesIn(memory: Memory, seen: Observation): Promise<Changes> {
  const spec = seen.plan ?? memory.plan;
  const isCompared = seen.readings?.some(({ state }) => state !== undefined) && !seen.unasked && !seen.deleted;
  if (spec === undefined || !isCompared || isStopped(memory, spec, Date.now())) return {};
  const pairs = changedPairs(applyObservation(memory, seen, Date.now()).views);
  return pairs.length === 0 ? {} : diff(pairs, spec.ignoreFields);
}

const isStopped = ({ suspendedByUpdate }: Memory, plan: CompiledSpec, now: number): boolean =>
  plan.problems.length > 0 || isSuspended(plan, suspendedByUpdate, now);

/** Whether an observation says no more than that everything is as it was. */
const isEmpty = ({ unasked: _, ...seen }: Observation, before: Memory): boolean => !isNews(seen, { seen: before });

function plan(run: Run, { changes, ...seen }: Seen, now: number): Planned<Memory> {
  const { memory: before } = run;
  const spec = seen.plan ?? before.plan;
  if (spec === undefined) return { memory: before, isNews: false };
  if (seen.unasked === 'again') run.dirty = true;
  const isIdle = isStopped(before, spec, now) || seen.unasked !== undefined;
  return isIdle ? idle(before, seen, now) : decided(run, spec, seen, changes, now);
}

/**
 * Takes in what a look at a stopped TargetApp tells: its plan, and nothing to decide on. States that were read before it
 * was stopped are left: what is not applied is told again when it goes on, so no change goes by untold.
 */
function idle(before: Memory, { readings: _, gone: __, ...seen }: Observation, now: number): Planned<Memory> {
  const { memory, drafts } = applyObservation(before, seen, now);
  // Another spec that is as wrong is no other phase, and is to be told of all the same.
  const isAsWrong = seen.plan !== undefined && before.phase === 'Failed' && phaseOf(memory, now) === 'Failed';
  const again = isAsWrong ? phaseEvents(memory, 'Failed') : [];
  const { lastPoll: ___, ...told } = withEvents(memory, [...drafts, ...again], now);
  const { lastPoll } = before;
  return { memory: { ...told, ...(lastPoll !== undefined && { lastPoll }) }, isNews: !isEmpty(seen, before) };
}

function decided(run: Run, spec: CompiledSpec, seen: Observation, changes: Changes, now: number): Planned<Memory> {
  const { app, memory: before } = run;
  const applied = applyObservation(before, seen, now);
  const { memory, decisions } = decide(app.uid, spec, applied, changes, { now, load: loadOf(before) });
  const acting = withActions(memory, app, decisions, now);
  return {
    memory: acting.memory,
    isNews: !isEmpty(seen, before) || decisions.length > 0,
    follow: () => {
      announce(run, acting.ids);
      count(decisions);
    },
  };
}

function count(decisions: Decision[]): void {
  for (const decision of decisions) {
    if (decision.kind === 'suppress') counters.suppressed(decision.reason);
    if (decision.kind === 'fire') counters.fired(decision.rule.action);
  }
}

/** When to look next: a turn waits by itself; a poll comes at its own phase, and a stopped TargetApp is only looked at now and then. */
function nextTurnAt({ app, memory: { plan: spec, suspendedByUpdate } }: Run, now: number): number {
  if (spec === undefined) return now + 1_000;
  if (spec.turnMs !== undefined) return now;
  if (spec.problems.length > 0 || suspendedByUpdate || spec.suspend) return now + idleLookMs;
  if (spec.suspendUntil !== undefined && now < spec.suspendUntil) return Math.min(now + idleLookMs, spec.suspendUntil);
  return nextPollAt(app.uid, spec.intervalMs, now);
}

const kind: ResourceKind<Memory, Seen> = {
  kind: 'TargetApp',
  newMemory,
  fitted,
  observe,
  plan,
  nextTurnAt,
  background: pump,
  handle: handleRedeliver,
  phaseOf,
  phaseEvents,
  conditions,
  statusOf,
  // Where polls are turns of their own, each wakes the workflow up anyway.
  heartbeatMs: ({ plan: spec }) => (spec?.turnMs === undefined ? spec?.heartbeatMs : undefined),
  isSuspended: (memory, now) => isSuspended(memory.plan, memory.suspendedByUpdate, now),
  summaryOf: (memory) => ({ ...podCounts(memory), phase: phaseOf(memory, Date.now()) }),
  detailsOf,
};

/** The workflow of one TargetApp. */
export const targetApp = resourceWorkflow(kind);
