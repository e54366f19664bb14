import { msOf } from '../../domain/seconds.ts';
import type { SpecProblem } from '../../domain/spec-problem.ts';
import type { CompiledRule, CompiledSpec, CompiledTransition } from '../../domain/target-app/compiled-spec.ts';
import { withKeys } from '../../domain/target-app/rule-identity.ts';
import { durationMs } from '../common/duration.ts';
import { schemaProblems } from '../common/schema-problems.ts';
import { type ActionDefaults, actionPlan, hashOf, optionalMs } from './compile-action.ts';
import type { Rule } from './rule.ts';
import { TargetAppSpec } from './schema.ts';
import { quorumOf } from './trigger.ts';
import { ruleName } from './validation/rule.ts';
import { specProblems, timeOf } from './validation/spec.ts';

/** The parts of a TargetApp that are compiled. */
export interface PlannedApp {
  metadata: { name: string; namespace: string; uid: string; generation: number };
  spec: unknown;
}

/** What the installation says where a spec is silent. */
export interface SpecDefaults extends ActionDefaults {
  /** Milliseconds between polls. */
  intervalMs: number;
  /** Milliseconds for one query. */
  timeoutMs: number;
  /** Milliseconds after which a status that says nothing new is written again. */
  heartbeatMs: number;
  /** Pods that are asked at the same time. */
  queriesAtOnce: number;
  /** Milliseconds that a turn of many polls lasts at most; 0: every poll is a turn of its own. */
  turnMs: number;
  /** Changes the digest of every plan: version and configuration of KCO. */
  salt: string;
}

/** How often restarts may come where a rule is silent: a shared cause must not keep a workload restarting. */
const restartLimit = { max: 5, perMs: 3_600_000 };

function limitOf({ action, maxFirings }: Rule): CompiledRule['maxFirings'] {
  if (maxFirings !== undefined) return { max: maxFirings.max, perMs: durationMs(maxFirings.per) };
  return action === 'restart_pod' ? restartLimit : undefined;
}

const triggerOf = ({ trigger: { as, condition, field, value } }: Rule): CompiledRule['trigger'] => ({
  condition,
  ...(field === undefined ? {} : { field }),
  ...(value === undefined ? {} : { value }),
  ...(as === undefined ? {} : { as }),
});

function rulePlan(rule: Rule, index: number, defaults: SpecDefaults): CompiledRule {
  const [trigger, pods, repeatMs, maxFirings] = [
    triggerOf(rule),
    quorumOf(rule.trigger.pods),
    optionalMs(rule.repeatEvery),
    limitOf(rule),
  ];
  const question = hashOf([rule.action, trigger, pods]);
  const own = actionPlan(rule, question, defaults);
  const onRecovery = (rule.onRecovery ?? []).map((step) => actionPlan(step, question, defaults));
  return {
    name: ruleName(rule, index),
    key: own.content,
    question,
    ...own,
    trigger,
    pods,
    forMs: optionalMs(rule.trigger.for) ?? 0,
    cooldownMs: optionalMs(rule.cooldown) ?? 0,
    ...(repeatMs ? { repeatMs } : {}),
    ...(maxFirings ? { maxFirings } : {}),
    dryRun: rule.dryRun ?? false,
    ...(onRecovery.length > 0 ? { onRecovery } : {}),
  };
}

/** The plans of rules, each under a key of its own. */
const rulePlans = (rules: readonly Rule[], defaults: SpecDefaults): CompiledRule[] =>
  withKeys(
    rules.map((rule, index) => rulePlan(rule, index, defaults)),
    [],
  );

const turnOf = ({ turnMs }: SpecDefaults): Pick<CompiledSpec, 'turnMs'> => (turnMs === 0 ? {} : { turnMs });

/** Messages can end no wait of polls that are each a turn of their own, so they are not listened to. */
function subscriptionOf(spec: TargetAppSpec, { turnMs }: SpecDefaults): Pick<CompiledSpec, 'subscription'> {
  const { graphqlEndpoint, port, scheme, stateSubscription } = spec;
  if (stateSubscription === undefined || turnMs === 0) return {};
  return { subscription: hashOf([graphqlEndpoint, port, scheme, stateSubscription]) };
}

type Undigested = Omit<CompiledSpec, 'digest' | 'generation'>;

function planned(spec: TargetAppSpec, defaults: SpecDefaults): Undigested {
  const intervalMs = spec.pollingInterval === undefined ? defaults.intervalMs : msOf(spec.pollingInterval);
  const timeoutMs = spec.timeout === undefined ? defaults.timeoutMs : msOf(spec.timeout);
  const suspendUntil = timeOf(spec.suspendUntil);
  return {
    endpoint: spec.graphqlEndpoint,
    source: hashOf([spec.graphqlEndpoint, spec.port, spec.scheme, spec.stateQuery, spec.variables]),
    ...subscriptionOf(spec, defaults),
    perPod: spec.graphqlEndpoint.startsWith('/'),
    intervalMs,
    timeoutMs: Math.min(timeoutMs, intervalMs),
    queriesAtOnce: defaults.queriesAtOnce,
    ...turnOf(defaults),
    heartbeatMs: defaults.heartbeatMs,
    suspend: spec.suspend ?? false,
    ...(suspendUntil === undefined ? {} : { suspendUntil }),
    dryRun: spec.dryRun ?? false,
    onUnknown: spec.onUnknown ?? 'keep',
    ignoreFields: spec.ignoreFields ?? [],
    events: (spec.events ?? []) as CompiledTransition[],
    rules: rulePlans(spec.actions ?? [], defaults),
    problems: specProblems(spec),
  };
}

/** The plan of a spec that its schema refuses: nothing is watched, and it says why. */
const unplannable = (problems: SpecProblem[], defaults: SpecDefaults): Undigested => ({
  endpoint: '',
  source: '',
  perPod: true,
  intervalMs: defaults.intervalMs,
  timeoutMs: Math.min(defaults.timeoutMs, defaults.intervalMs),
  queriesAtOnce: defaults.queriesAtOnce,
  ...turnOf(defaults),
  heartbeatMs: defaults.heartbeatMs,
  suspend: false,
  dryRun: false,
  onUnknown: 'keep',
  ignoreFields: [],
  events: [],
  rules: [],
  problems,
});

/** A spec as the workflow needs it, and as its schema has understood it (absent where that refuses it). */
export interface Compiled {
  plan: CompiledSpec;
  spec?: TargetAppSpec;
}

/**
 * What the workflow needs to know of a TargetApp: its spec with defaults filled in and durations in milliseconds, and
 * every problem that the API server could not refuse. Never throws on a spec, whatever it holds.
 */
export function compileSpec({ metadata, spec }: PlannedApp, defaults: SpecDefaults): Compiled {
  const parsed = TargetAppSpec.safeParse(spec);
  const plan = parsed.success
    ? planned(parsed.data, defaults)
    : unplannable(schemaProblems(parsed.error, 'spec', spec), defaults);
  const { generation } = metadata;
  return {
    plan: { digest: `g${generation}-${hashOf([plan, defaults.salt])}`, generation, ...plan },
    ...(parsed.success && { spec: parsed.data }),
  };
}
