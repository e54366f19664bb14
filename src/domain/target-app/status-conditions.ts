import { own } from '../json.ts';
import { type ConditionNow, type ConditionTable, condition } from '../status-conditions.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import type { Memory } from './memory.ts';
import { overdue } from './overdue.ts';
import { complaints } from './rule-status.ts';
import { sourceOf } from './source.ts';
import { subscribed } from './subscription.ts';
import { isStopped, isSuspended } from './suspension.ts';

function actionsHealthy(memory: Memory, now: number): ConditionNow {
  const [worst, ...others] = complaints(memory, now);
  if (worst === undefined) return condition('True', 'NoFailures', 'no action of an open episode ended in trouble');
  const [rule, { reason, message }] = worst;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return condition('False', reason, `${rule}: ${message.slice(0, 900)}${more}`);
}

/** Whether every rule can be judged by what the app answers. */
function rulesDecidable({ rules }: Memory, spec: CompiledSpec): ConditionNow {
  const found = spec.rules.flatMap(({ key, name }) => {
    const undecided = own(rules, key)?.undecided;
    return undecided === undefined ? [] : [{ name, ...undecided }];
  });
  const [first, ...others] = found;
  if (first === undefined) return condition('True', 'AllDecidable', 'every rule can be judged by what the app answers');
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return condition('False', first.reason, `${first.name}: ${first.message.slice(0, 900)}${more}`);
}

/** Without anybody who runs nothing is ready; where only KCO could not ask, it is not known. */
const notReady = ({ status, reason }: ConditionNow): ConditionNow['status'] =>
  reason === 'PodsNotRunning' ? 'False' : status;

function ready(memory: Memory, spec: CompiledSpec | undefined, suspended: boolean, now: number): ConditionNow {
  if (spec === undefined) return condition('False', 'Initializing', 'not observed yet');
  const [problem] = spec.problems;
  if (problem !== undefined) return condition('False', 'InvalidSpec', `${problem.field}: ${problem.message}`);
  if (suspended) return condition('Unknown', 'Suspended', 'polling and acting are suspended');
  const { observed, troubles } = sourceOf(memory, spec);
  const [worst] = troubles;
  if (observed === 0 && worst !== undefined)
    return condition(notReady(worst), worst.reason, troubles.map(({ message }) => message).join('; '));
  const whole = spec.perPod ? `${observed} of ${memory.matched} pods answer` : 'the endpoint answers';
  const actions = actionsHealthy(memory, now);
  const others = [actions, rulesDecidable(memory, spec)].filter(({ status }) => status !== 'True');
  const source = worst === undefined ? [whole] : troubles.map(({ message }) => message);
  return condition(
    'True',
    'Monitoring',
    [...source, ...others.map(({ reason, message }) => `${reason}: ${message}`)].join('; '),
  );
}

const stalled = ({ plan: spec }: Memory): ConditionNow => {
  const [problem] = spec?.problems ?? [];
  return problem === undefined
    ? condition('False', 'SpecUnderstood', 'the spec is valid')
    : condition('True', 'InvalidSpec', `${problem.field}: ${problem.message}`);
};

function reconciling(memory: Memory, now: number): ConditionNow {
  const isInitializing =
    memory.plan === undefined ||
    (!isStopped(memory.plan, memory.suspendedByUpdate, now) && memory.lastPoll === undefined);
  return isInitializing
    ? condition('True', 'Initializing', 'waiting for the first poll')
    : condition('False', 'Observed', 'the spec is in force');
}

/** A condition of what is watched: absent while nothing is. */
const whileWatching =
  (judge: (memory: Memory, spec: CompiledSpec) => ConditionNow | undefined) =>
  (memory: Memory, now: number): ConditionNow | undefined =>
    memory.plan === undefined || isStopped(memory.plan, memory.suspendedByUpdate, now)
      ? undefined
      : judge(memory, memory.plan);

/** The conditions of a TargetApp. Stalled and Reconciling are what kstatus looks at. */
export const conditions: ConditionTable<Memory> = {
  Ready: (memory, now) => ready(memory, memory.plan, isSuspended(memory.plan, memory.suspendedByUpdate, now), now),
  Reconciling: reconciling,
  Stalled: stalled,
  SourceReachable: whileWatching((memory, spec) => sourceOf(memory, spec).reachable),
  SourceHealthy: whileWatching((memory, spec) => sourceOf(memory, spec).healthy),
  RulesDecidable: whileWatching(rulesDecidable),
  Subscribed: whileWatching(subscribed),
  Overdue: whileWatching(overdue),
  ActionsHealthy: actionsHealthy,
};
