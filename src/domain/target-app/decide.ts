import { type Changes, changesOf, type StatePair } from '../diff.ts';
import { withEvents } from '../outbox.ts';
import { type Absorbed, applyObservation } from './apply-observation.ts';
import { changeEvents } from './change-events.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import { decisionEvent } from './decision-events.ts';
import type { PodsSeen, SubjectView } from './findings.ts';
import type { Load } from './load.ts';
import type { Memory } from './memory.ts';
import type { Observation } from './observation.ts';
import { reachabilityEvents } from './reachability-events.ts';
import { type Decision, evaluateRules } from './rules.ts';
import { isSuspended } from './suspension.ts';

/** What one observation leads to. */
export interface Decided {
  memory: Memory;
  decisions: Decision[];
}

/** The states that are to be compared: of each subject that has one before and another one after. */
export const changedPairs = (views: SubjectView[]): StatePair[] =>
  views.flatMap(({ subject, failure, previous, state }) =>
    failure !== undefined || previous === undefined || state === undefined || previous === state
      ? []
      : [{ subject, before: previous, after: state }],
  );

const podsIn = ({ matched, nothingRuns, podsUnknown }: Memory): PodsSeen => ({
  matched,
  ...(nothingRuns && { nothingRuns }),
  ...(podsUnknown !== undefined && { podsUnknown }),
});

/**
 * The plan step: what an absorbed observation means. Pure: no clock, no randomness, nothing but its arguments, so the
 * same observations give the same decisions in a workflow, in its replay and in a simulation.
 */
export function decide(
  uid: string,
  spec: CompiledSpec,
  { memory, views, failedBefore, drafts: earlier }: Absorbed,
  changes: Changes,
  { now, load }: { now: number; load?: Load },
): Decided {
  // The plan as the memory has it: there its rules have the keys under which they are remembered.
  const { rules, decisions } = evaluateRules(uid, memory.plan ?? spec, memory.rules, views, {
    ...podsIn(memory),
    now,
    ...(load !== undefined && { load }),
  });
  const isChanged = Object.values(changes).some(({ changes: found, more = 0 }) => found.length + more > 0);
  const drafts = [
    ...earlier,
    ...reachabilityEvents(spec, memory, views, failedBefore),
    ...changeEvents(spec, views, changes),
    ...decisions.map(decisionEvent),
  ];
  const next = { ...memory, rules, ...(isChanged && { lastChange: now }) };
  return { memory: withEvents(next, drafts, now), decisions };
}

/**
 * Absorb, diff and decide in one go, for a simulation that has neither a cluster nor Temporal. A TargetApp that is
 * suspended or has a spec to mend is not polled, so there is nothing to decide.
 */
export function step(uid: string, memory: Memory, observation: Observation, now: number): Decided {
  const absorbed = applyObservation(memory, observation, now);
  const spec = absorbed.memory.plan;
  if (spec === undefined || spec.problems.length > 0 || isSuspended(spec, memory.suspendedByUpdate, now))
    return { memory: absorbed.memory, decisions: [] };
  return decide(uid, spec, absorbed, changesOf(changedPairs(absorbed.views), spec.ignoreFields), { now });
}
