import { allHandlersFinished, condition, continueAsNew, isCancellation, workflowInfo } from '@temporalio/workflow';
import { withEvents } from '../../domain/outbox.ts';
import type { ObjectRef } from '../../domain/refs.ts';
import { nextPollAt } from '../../domain/schedule.ts';
import { applyObservation } from '../../domain/target-app/apply-observation.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import { changedPairs, decide } from '../../domain/target-app/decide.ts';
import { phaseEvents } from '../../domain/target-app/event-messages.ts';
import { fitted } from '../../domain/target-app/fit-memory.ts';
import { lookLimitMs } from '../../domain/target-app/look-limit.ts';
import { fingerprintOf, type Memory, newMemory } from '../../domain/target-app/memory.ts';
import type { Observation } from '../../domain/target-app/observation.ts';
import { loadOf } from '../../domain/target-app/pending.ts';
import type { Decision } from '../../domain/target-app/rules.ts';
import { conditionsOf, isSuspended, phaseOf } from '../../domain/target-app/status.ts';
import { answerMessages } from '../handlers.ts';
import { heartbeatAt, report, reported } from '../report.ts';
import { begin, type RunState } from '../run-state.ts';
import { updateVisibility } from '../visibility.ts';
import { enqueue, pump } from './act.ts';
import { decisions as counters, diff, observing } from './activities.ts';

/** What a TargetApp's workflow starts with: a reference, and after continue-as-new what it knows. */
export interface TargetAppInput {
  app: ObjectRef;
  memory?: Memory;
  /** Names of the search attributes that Temporal has; absent: all. */
  attributes?: string[];
}

/** Events after which a run hands on to the next: below the server's own suggestion, far below its limit. */
const maxHistoryLength = 3_800;
/**
 * How much longer a history may get, once it is long enough, before polling stops until the run can hand on: a factor. The
 * server suggests to hand on by events or by bytes, and ends a workflow at some twelve times either.
 */
const overdueFactor = 4;
/** How often an object that asks for nothing is looked at, in case a word about it was lost. */
const idleLookMs = 5 * 60_000;

/**
 * One TargetApp: observe, plan, act, report, and wait for the next poll or a word to look again, until the object is
 * gone. A new run looks at once, so continue-as-new cannot lose a word.
 */
export async function targetApp({ app, memory = newMemory(), attributes }: TargetAppInput): Promise<void> {
  const run = begin(app, memory, attributes);
  let ripeAt: number | undefined;
  answerMessages(run);
  const pumping = pump(run);
  for (;;) {
    await turn(run);
    if (run.deleted) break;
    ripeAt ??= ripeLength();
    if (await canHandOn(run, ripeAt))
      await continueAsNew<typeof targetApp>({ app, memory: fitted(run.memory), attributes: run.attributes });
    await untilNextLook(run);
  }
  await pumping;
  await condition(() => run.actions.size === 0 && allHandlersFinished());
  await reported(run, '30 seconds');
}

/** Whether nothing is under way whose end belongs to this run: an action, or an answer. A new run looks at once anyway. */
const isSettled = (run: RunState): boolean => run.actions.size === 0 && allHandlersFinished();

/** The events of a history that is long enough to hand on; undefined while it is not. */
function ripeLength(): number | undefined {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > maxHistoryLength ? historyLength : undefined;
}

/** Whether the next run is wanted and can take over. Asked again after each wait, because words come meanwhile. */
async function canHandOn(run: RunState, ripeAt: number | undefined): Promise<boolean> {
  if (ripeAt === undefined) return false;
  // Whoever was answered by this look is one step from its end; whoever was not has asked for another one.
  await condition(() => allHandlersFinished() || run.dirty);
  if (!allHandlersFinished()) return false;
  const isOverdue = workflowInfo().historyLength > overdueFactor * ripeAt;
  if (run.actions.size > 0 && !isOverdue) return false;
  // From here on no action begins, because one that began now would have to be waited for; those that wait are handed on.
  run.handingOn = true;
  // Where some action always runs, polling has to stop for once until they have ended.
  await condition(() => run.actions.size === 0 || !allHandlersFinished());
  await reported(run, '5 seconds');
  run.handingOn = isSettled(run);
  return run.handingOn;
}

/** Looks once, and does what follows from it. */
async function turn(run: RunState): Promise<void> {
  // Cleared before looking: a word that comes while looking leads to another look.
  const fresh = run.dirty && run.turns > 0;
  run.dirty = false;
  run.turnsStarted += 1;
  const observation = await observed(run, fresh);
  if (observation === undefined) {
    run.turns = run.turnsStarted;
    return;
  }
  run.deleted = observation.deleted === true;
  if (observation.attributes !== undefined) run.attributes = observation.attributes ?? undefined;
  const plan = observation.plan ?? run.memory.plan;
  if (run.deleted || plan === undefined) return;
  const before = run.memory;
  if (observation.unasked === 'again') run.dirty = true;
  const decisions =
    isIdle(run, plan) || observation.unasked ? idle(run, observation) : await decided(run, plan, observation);
  tellPhase(run, plan, observation);
  // Most looks tell nothing that a status could show; composing one to find that out would be half of a look's cost.
  const isQuiet =
    run.turns > 0 && isEmpty(observation, before) && decisions.length === 0 && run.memory.phase === before.phase;
  if (!isQuiet) run.version += 1;
  run.turns = run.turnsStarted;
  for (const decision of decisions) follow(run, decision);
  updateVisibility(run);
  report(run);
}

/** Whether an observation says no more than that everything is as it was. */
const isEmpty = ({ matched, nothingRuns, podsUnknown, ...news }: Observation, before: Memory): boolean =>
  Object.keys(news).length === 0 &&
  nothingRuns === before.nothingRuns &&
  podsUnknown === before.podsUnknown &&
  (podsUnknown !== undefined || matched === before.matched);

/** A look that fails for good (what it saw cannot be carried, say) is one that has seen nothing; the next one may. */
async function observed(run: RunState, fresh: boolean): Promise<Observation | undefined> {
  try {
    return await observe(run, fresh);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}

function observe({ app, due, memory, attributes }: RunState, fresh: boolean): Promise<Observation> {
  const { plan, subjects, suspendedByUpdate: held, matched, pollRequested } = memory;
  const known = Object.fromEntries(Object.entries(subjects).map(([subject, what]) => [subject, fingerprintOf(what)]));
  return observing(lookLimitMs(plan, matched))({
    app,
    due,
    known,
    ...(plan !== undefined && { plan: plan.digest }),
    ...(held && { held: true }),
    ...(fresh && { fresh }),
    ...(pollRequested !== undefined && { pollRequested }),
    ...(attributes !== undefined && { attributes }),
  });
}

const isIdle = (run: RunState, plan: CompiledSpec): boolean =>
  plan.problems.length > 0 || isSuspended(plan, run.memory.suspendedByUpdate, Date.now());

/**
 * Takes in what a look at a stopped TargetApp tells: its plan, and nothing to decide on. States that were read before it
 * was stopped are left: what is not absorbed is told again when it goes on, so no change goes by untold.
 */
function idle(run: RunState, { readings: _, gone: __, ...observation }: Observation): Decision[] {
  const { lastPoll } = run.memory;
  const now = Date.now();
  const { memory, drafts } = applyObservation(run.memory, observation, now);
  run.memory = { ...withEvents(memory, drafts, now), lastPoll };
  return [];
}

/** Compares and decides. */
async function decided(run: RunState, plan: CompiledSpec, observation: Observation): Promise<Decision[]> {
  const before = run.memory;
  const seen = applyObservation(before, observation, Date.now());
  const pairs = changedPairs(seen.views);
  const changes = pairs.length === 0 ? {} : await diff(pairs, plan.ignoreFields);
  const now = Date.now();
  // What came to be noted while the states were compared (the end of an action, say) must not be lost.
  const absorbed = run.memory === before ? seen : applyObservation(run.memory, observation, now);
  const { memory, decisions } = decide(run.app.uid, plan, absorbed, changes, {
    now,
    load: loadOf(run.memory),
  });
  run.memory = memory;
  return decisions;
}

function tellPhase(run: RunState, plan: CompiledSpec, observation: Observation): void {
  const now = Date.now();
  const phase = phaseOf(run.memory, now);
  const isNews = phase !== run.memory.phase || (phase === 'Failed' && observation.plan !== undefined);
  const told = isNews ? withEvents(run.memory, phaseEvents(run.memory.phase, phase, plan), now) : run.memory;
  run.memory = { ...told, phase, conditions: conditionsOf(told, now) };
}

function follow(run: RunState, decision: Decision): void {
  if (decision.kind === 'suppress') counters.suppressed(decision.reason);
  if (decision.kind === 'fire') counters.fired(decision.rule.action);
  if (decision.kind === 'fire' || decision.kind === 'recover') enqueue(run, decision);
}

/** When to look next: at the poll's own phase; a stopped TargetApp is only looked at now and then. */
function nextLookAt({ app, memory: { plan, suspendedByUpdate: held } }: RunState, now: number): number {
  if (plan === undefined) return now + 1_000;
  if (plan.problems.length > 0 || held || plan.suspend) return now + idleLookMs;
  if (plan.suspendUntil !== undefined && now < plan.suspendUntil) return Math.min(now + idleLookMs, plan.suspendUntil);
  return nextPollAt(app.uid, plan.intervalMs, now);
}

/** Waits for the next look or a word, and meanwhile keeps the status's heartbeat. */
async function untilNextLook(run: RunState): Promise<void> {
  run.due = nextLookAt(run, Date.now());
  while (!run.dirty && Date.now() < run.due) {
    const isWriting = run.writing.has('status');
    const wake = Math.min(run.due, heartbeatAt(run));
    // The end of a status's writing says when the next heartbeat is due.
    await condition(() => run.dirty || (isWriting && !run.writing.has('status')), Math.max(1, wake - Date.now()), {
      summary: wake === run.due ? 'next poll' : 'status due',
    });
    if (Date.now() >= heartbeatAt(run)) report(run);
  }
  if (run.dirty) run.due = Date.now();
}
