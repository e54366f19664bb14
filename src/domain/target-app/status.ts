import { scalarsOf } from '../diff.ts';
import { type Json, type JsonObject, own } from '../json.ts';
import type { WorkflowRef } from '../refs.ts';
import { resourceStatus } from '../resource-status.ts';
import { iso } from '../seconds.ts';
import { shared } from '../share.ts';
import { type ConditionNow, type ConditionTable, condition } from '../status-conditions.ts';
import { bytesOf } from '../text.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import { type Memory, newRuleMemory, type Phase } from './memory.ts';
import { complaints, ruleStatus, undeliveredStatus } from './rule-status.ts';
import { failedAs, sourceOf } from './source.ts';

/** Limits of what a status shows: it lives in etcd, the Web UI has the rest. */
export const maxPodsShown = 20;
export const maxFieldsShown = 16;
/** Over all rules; those that have fired come first, because what they stand for must not be done again. */
const maxEpisodesMirrored = 1_000;
/** All of it, as JSON; etcd takes 1.5 MiB. The states give way. */
const maxStatusBytes = 256 * 1024;

/** Whether a TargetApp is stopped on purpose at this time. */
export const isSuspended = (plan: CompiledSpec | undefined, held: boolean | undefined, now: number): boolean =>
  Boolean(held || plan?.suspend || (plan?.suspendUntil !== undefined && now < plan.suspendUntil));

/** Whether nobody is asked at this time: it is suspended, or its spec cannot be understood. */
export const isStopped = (plan: CompiledSpec | undefined, held: boolean | undefined, now: number): boolean =>
  (plan?.problems.length ?? 0) > 0 || isSuspended(plan, held, now);

function actionsHealthy(memory: Memory, now: number): ConditionNow {
  const [worst, ...others] = complaints(memory, now);
  if (worst === undefined) return condition('True', 'NoFailures', 'no action of an open episode ended in trouble');
  const [rule, { reason, message }] = worst;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return condition('False', reason, `${rule}: ${message.slice(0, 900)}${more}`);
}

/** Whether every rule can be judged by what the app answers. */
function rulesDecidable({ rules }: Memory, plan: CompiledSpec): ConditionNow {
  const found = plan.rules.flatMap(({ key, name }) => {
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

function ready(memory: Memory, plan: CompiledSpec | undefined, suspended: boolean, now: number): ConditionNow {
  if (plan === undefined) return condition('False', 'Initializing', 'not observed yet');
  const [problem] = plan.problems;
  if (problem !== undefined) return condition('False', 'InvalidSpec', `${problem.field}: ${problem.message}`);
  if (suspended) return condition('Unknown', 'Suspended', 'polling and acting are suspended');
  const { observed, troubles } = sourceOf(memory, plan);
  const [worst] = troubles;
  if (observed === 0 && worst !== undefined)
    return condition(notReady(worst), worst.reason, troubles.map(({ message }) => message).join('; '));
  const whole = plan.perPod ? `${observed} of ${memory.matched} pods answer` : 'the endpoint answers';
  const actions = actionsHealthy(memory, now);
  const others = [actions, rulesDecidable(memory, plan)].filter(({ status }) => status !== 'True');
  const source = worst === undefined ? [whole] : troubles.map(({ message }) => message);
  return condition(
    'True',
    'Monitoring',
    [...source, ...others.map(({ reason, message }) => `${reason}: ${message}`)].join('; '),
  );
}

const stalled = ({ plan }: Memory): ConditionNow => {
  const [problem] = plan?.problems ?? [];
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
  (judge: (memory: Memory, plan: CompiledSpec) => ConditionNow) =>
  (memory: Memory, now: number): ConditionNow | undefined =>
    memory.plan === undefined || isStopped(memory.plan, memory.suspendedByUpdate, now)
      ? undefined
      : judge(memory, memory.plan);

/** The conditions of a TargetApp. Stalled and Reconciling are what kstatus looks at. */
export const conditions: ConditionTable<Memory> = {
  Ready: (memory, now) => ready(memory, memory.plan, isSuspended(memory.plan, memory.suspendedByUpdate, now), now),
  Reconciling: reconciling,
  Stalled: stalled,
  SourceReachable: whileWatching((memory, plan) => sourceOf(memory, plan).reachable),
  SourceHealthy: whileWatching((memory, plan) => sourceOf(memory, plan).healthy),
  RulesDecidable: whileWatching(rulesDecidable),
  ActionsHealthy: actionsHealthy,
};

/** One word for where a TargetApp stands. */
export function phaseOf(memory: Memory, now: number): Phase {
  if (memory.plan?.problems.length) return 'Failed';
  if (isSuspended(memory.plan, memory.suspendedByUpdate, now)) return 'Suspended';
  return memory.plan === undefined || memory.lastPoll === undefined ? 'Initializing' : 'Monitoring';
}

function stateOf(memory: Memory, plan: CompiledSpec): JsonObject {
  const shown = Object.values(memory.subjects)
    .filter((subject) => subject.state !== undefined)
    .slice(0, maxPodsShown);
  return Object.fromEntries(
    shown.map((subject) => [subject.name, scalarsOf(subject.state ?? null, plan.ignoreFields, maxFieldsShown)]),
  );
}

/** How many pods there are, and how they fared at the last poll. */
export const podCounts = (memory: Memory) => ({
  matched: memory.matched,
  observed: Object.values(memory.subjects).filter(({ failure }) => failure === undefined).length,
  unreachable: failedAs(memory, 'unreachable'),
  failing: failedAs(memory, 'failing'),
});

/** What of the states there is room for, in bytes as JSON: the first pods. */
function fittingState(state: JsonObject, room: number): JsonObject {
  let left = room;
  const kept = Object.entries(state).filter(([name, fields]) => {
    left -= bytesOf(JSON.stringify([name, fields]));
    return left >= 0;
  });
  return Object.fromEntries(kept);
}

/** The status of a TargetApp as its workflow knows it. `memory.conditions` must be up to date. */
export function statusOf(memory: Memory, workflow: WorkflowRef, now: number): JsonObject {
  const { plan } = memory;
  const status = withoutState(memory, workflow, now);
  if (plan === undefined || Object.keys(memory.subjects).length === 0) return status;
  const room = maxStatusBytes - bytesOf(JSON.stringify(status));
  return { ...status, state: fittingState(stateOf(memory, plan), room) };
}

function withoutState(memory: Memory, workflow: WorkflowRef, now: number): JsonObject {
  const { plan } = memory;
  const rules = (plan?.rules ?? []).map((rule) => ({
    plan: rule,
    rule: own(memory.rules, rule.key) ?? newRuleMemory(),
  }));
  const maxEpisodes = shared(
    rules.map(({ rule }) => Object.keys(rule.episodes).length),
    maxEpisodesMirrored,
  );
  return {
    ...resourceStatus(memory, { generation: plan?.generation, phase: phaseOf(memory, now), workflow, now }),
    pods: podCounts(memory),
    ...(memory.lastPoll !== undefined && { lastPoll: iso(memory.lastPoll) }),
    ...(memory.lastChange !== undefined && { lastChange: iso(memory.lastChange) }),
    ...(memory.pollRequested !== undefined && { pollRequestedAt: memory.pollRequested }),
    rules: rules.map(({ plan: of, rule }, i): Json => ruleStatus(of, rule, memory.pending, maxEpisodes[i] ?? 0)),
    ...(memory.undelivered.length > 0 && { undelivered: undeliveredStatus(memory) }),
  };
}
