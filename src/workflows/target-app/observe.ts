import { condition, workflowInfo } from '@temporalio/workflow';
import { type Changes, changesOf } from '../../domain/diff.ts';
import { applyObservation } from '../../domain/target-app/apply-observation.ts';
import { changedPairs } from '../../domain/target-app/decide.ts';
import { dueAt } from '../../domain/target-app/due-at.ts';
import { lookLimitMs } from '../../domain/target-app/look-limit.ts';
import { fingerprintOf, type Memory } from '../../domain/target-app/memory.ts';
import type { Observation, ObserveInput, TurnInput } from '../../domain/target-app/observation.ts';
import { knownOf } from '../../domain/target-app/subscription.ts';
import { isStopped } from '../../domain/target-app/suspension.ts';
import { endTurn } from '../activities.ts';
import { isRipeSince } from '../history.ts';
import { beginTelling, endTelling } from '../report.ts';
import type { RunState } from '../run-state.ts';
import { diff, observing, turning } from './activities.ts';

type Run = RunState<Memory>;

/** What was seen, and how the states differ from those before. */
export interface Seen extends Observation {
  changes: Changes;
}

/** Observes a TargetApp: one poll, or the polls of a turn. */
export async function observe(run: Run, fresh: boolean, first?: Observation): Promise<Seen | undefined> {
  const { memory } = run;
  const seen = first ?? (await (isSingle(memory, fresh) ? poll(run, fresh) : turn(run)));
  return seen === undefined ? undefined : { ...seen, changes: await changesIn(memory, seen) };
}

/** Whether the next observation is one poll, at once: the first one, one that was asked for, or each of them. */
const isSingle = ({ plan: spec }: Memory, fresh: boolean): boolean => fresh || spec?.turnMs === undefined;

/** What every poll is told. */
function inputOf({ app, due, memory, attributes }: Run): ObserveInput {
  const { plan: spec, subjects, suspendedByUpdate, pollRequested, overdueSince } = memory;
  const known = Object.fromEntries(Object.entries(subjects).map(([subject, what]) => [subject, fingerprintOf(what)]));
  const subscription = knownOf(memory);
  return {
    app,
    due,
    known,
    ...(spec !== undefined && { plan: spec.digest }),
    ...(suspendedByUpdate && { held: true }),
    ...(pollRequested !== undefined && { pollRequested }),
    ...(attributes !== undefined && { attributes }),
    ...(subscription !== undefined && { subscription }),
    ...(overdueSince !== undefined && { overdue: true }),
  };
}

function poll(run: Run, fresh: boolean): Promise<Observation> {
  const { plan: spec, matched } = run.memory;
  const limitMs = lookLimitMs(spec, matched);
  return observing(limitMs)({ ...inputOf(run), ...(fresh && { fresh }) });
}

/** A turn, until it ends by itself or something makes it void: then it has seen nothing, and the next one begins. */
async function turn(run: Run): Promise<Observation | undefined> {
  const asked = turnOf(run);
  run.isDueSoon = false;
  const { historyLength } = workflowInfo();
  const limitMs = asked.lengthMs + lookLimitMs(run.memory.plan, run.memory.matched) + turnMarginMs;
  let isOver = false;
  const tell = beginTelling(run);
  const input = { ...inputOf(run), turn: { ...asked, ...(tell !== undefined && { tell }) } };
  const ended = turning(limitMs)(input).finally(() => {
    isOver = true;
  });
  await condition(() => isOver || run.dirty || run.isDueSoon || isRipeSince(historyLength));
  // What is void before Temporal knows of it cannot be ended yet.
  while (!isOver && !(await endTurn())) await condition(() => isOver, notYetMs);
  const seen = (await ended) ?? undefined;
  endTelling(run, seen?.told);
  return seen;
}

/** How long a turn that could not be ended is left to itself before that is tried again. */
const notYetMs = 500;

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
    ...(spec !== undefined && isStopped(spec, memory.suspendedByUpdate, Date.now()) && { stopped: true as const }),
    lengthMs: Math.round((spec?.turnMs ?? 0) * (0.9 + 0.2 * Math.random())),
    ...(Number.isFinite(until) && { until }),
  };
}

/**
 * Compares the states that were seen with those before. The plan applies the observation again, to the memory of then: meanwhile an
 * action may have noted something, but what is compared here, only a turn changes.
 */
async function changesIn(memory: Memory, seen: Observation): Promise<Changes> {
  const spec = seen.plan ?? memory.plan;
  const isCompared = seen.readings?.some(({ state }) => state !== undefined) && !seen.unasked && !seen.deleted;
  if (spec === undefined || !isCompared || isStopped(spec, memory.suspendedByUpdate, Date.now())) return {};
  const pairs = changedPairs(applyObservation(memory, seen, Date.now()).views);
  if (pairs.length === 0) return {};
  // Where polls are rows of the history the comparison is one, too; a turn tells nothing but what has changed.
  return spec.turnMs === undefined ? diff(pairs, spec.ignoreFields) : changesOf(pairs, spec.ignoreFields);
}
