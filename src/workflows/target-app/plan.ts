import type { Changes } from '../../domain/diff.ts';
import { own } from '../../domain/json.ts';
import { withEvents } from '../../domain/outbox.ts';
import { applyObservation } from '../../domain/target-app/apply-observation.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import { decide } from '../../domain/target-app/decide.ts';
import { withActions } from '../../domain/target-app/enqueue.ts';
import { loadOf } from '../../domain/target-app/load.ts';
import type { Memory } from '../../domain/target-app/memory.ts';
import { isNews, type Observation } from '../../domain/target-app/observation.ts';
import { phaseEvents, phaseOf } from '../../domain/target-app/phase.ts';
import { isNotedAnew } from '../../domain/target-app/rule-status.ts';
import type { Decision } from '../../domain/target-app/rules.ts';
import { isStopped } from '../../domain/target-app/suspension.ts';
import type { Planned } from '../resource-kind.ts';
import type { RunState } from '../run-state.ts';
import { decisions as counters } from './activities.ts';
import { announce } from './mirror.ts';
import type { Seen } from './observe.ts';

type Run = RunState<Memory>;

/** Whether an observation says no more than that everything is as it was. */
const isEmpty = ({ unasked: _, ...seen }: Observation, before: Memory): boolean => !isNews(seen, { seen: before });

const isAnyNotedAnew = ({ rules: before }: Memory, { rules }: Memory): boolean =>
  Object.entries(rules).some(([key, rule]) => isNotedAnew(own(before, key), rule));

/** Decides what follows from what was seen of a TargetApp. */
export function plan(run: Run, { changes, ...seen }: Seen, now: number): Planned<Memory> {
  const { memory: before } = run;
  const spec = seen.plan ?? before.plan;
  if (spec === undefined) return { memory: before, isNews: false };
  const isIdle = isStopped(spec, before.suspendedByUpdate, now) || seen.unasked !== undefined;
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
  const retold = isAsWrong ? phaseEvents(memory, 'Failed') : [];
  const { lastPoll: ___, ...told } = withEvents(memory, [...drafts, ...retold], now);
  const { lastPoll } = before;
  return {
    memory: { ...told, ...(lastPoll !== undefined && { lastPoll }) },
    isNews: !isEmpty(seen, before),
    ...(seen.unasked === 'again' && { again: true }),
  };
}

function decided(run: Run, spec: CompiledSpec, seen: Observation, changes: Changes, now: number): Planned<Memory> {
  const { app, memory: before } = run;
  const applied = applyObservation(before, seen, now);
  const { memory, decisions } = decide(app.uid, spec, applied, changes, { now, load: loadOf(before) });
  const acting = withActions(memory, app, decisions, now);
  return {
    memory: acting.memory,
    isNews: !isEmpty(seen, before) || decisions.length > 0 || isAnyNotedAnew(before, memory),
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
