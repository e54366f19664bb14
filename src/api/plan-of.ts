import { createHash } from 'node:crypto';
import type { Plan, RulePlan, SpecProblem, TransitionPlan } from '../domain/plan.ts';
import type { RestartPodParameters } from './action-parameters.ts';
import { actionKindOf } from './actions.ts';
import { durationMs } from './duration.ts';
import type { Rule } from './rule.ts';
import { ruleName, stateRefsOf } from './rule-problems.ts';
import { schemaProblems } from './schema-problems.ts';
import { specProblems, timeOf } from './spec-problems.ts';
import { TargetAppSpec } from './target-app.ts';
import { quorumOf } from './trigger.ts';

/** The parts of a TargetApp that planOf reads. */
export interface PlannedApp {
  metadata: { name: string; namespace: string; uid: string; generation: number };
  spec: unknown;
}

/** What the installation says where a spec is silent. */
export interface PlanDefaults {
  /** Seconds between polls. */
  pollingInterval: number;
  /** Seconds for one query. */
  timeout: number;
  /** Seconds for one attempt of an action. */
  actionTimeout: number;
  /** Further attempts of an action. */
  retries: number;
  /** Seconds after which a status that says nothing new is written again. */
  statusHeartbeat: number;
  /** Pods that are asked at the same time. */
  queriesAtOnce: number;
  /** Changes the digest of every plan: version and configuration of KCO. */
  salt: string;
}

/** What an action needs around the call itself, so that a call's own timeout ends it first and says so. */
const marginMs = 15_000;

const optionalMs = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : durationMs(text);

/** The limit of one attempt: the rule's own, else the installation's, but never less than the action's parameters ask for. */
function attemptMs({ timeout, parameters }: Rule, defaults: PlanDefaults): number {
  if (timeout !== undefined) return timeout * 1000;
  const asked = 'timeout' in parameters ? (parameters.timeout ?? 0) * 1000 + marginMs : 0;
  return Math.max(defaults.actionTimeout * 1000, asked);
}

/** What a rule that restarts pods is told where it is silent: a shared cause must not keep a workload restarting. */
const restartLimits = { maxFirings: { max: 5, perMs: 3_600_000 }, startupGraceMs: 300_000 };

/** What keeps restarts from doing damage. */
function restartPlan({ parameters }: Rule): Pick<RulePlan, 'maxFirings' | 'paced' | 'startupGraceMs'> {
  const { startupGrace } = parameters as RestartPodParameters;
  return { ...restartLimits, paced: true, startupGraceMs: optionalMs(startupGrace) ?? restartLimits.startupGraceMs };
}

function rulePlan(rule: Rule, index: number, defaults: PlanDefaults): RulePlan {
  const { action, trigger, maxFirings } = rule;
  const kind = actionKindOf(action);
  const repeatMs = optionalMs(rule.repeatEvery);
  const stateRefs = stateRefsOf(rule);
  return {
    name: ruleName(rule, index),
    action,
    trigger: {
      condition: trigger.condition,
      ...(trigger.field === undefined ? {} : { field: trigger.field }),
      ...(trigger.value === undefined ? {} : { value: trigger.value }),
    },
    pods: quorumOf(trigger.pods),
    forMs: optionalMs(trigger.for) ?? 0,
    cooldownMs: optionalMs(rule.cooldown) ?? 0,
    ...(repeatMs ? { repeatMs } : {}),
    ...(action === 'restart_pod' ? restartPlan(rule) : {}),
    ...(maxFirings ? { maxFirings: { max: maxFirings.max, perMs: durationMs(maxFirings.per) } } : {}),
    dryRun: rule.dryRun ?? false,
    timeoutMs: attemptMs(rule, defaults),
    retries: rule.retries ?? defaults.retries,
    repeatable: kind.repeatable(rule.parameters),
    onPods: kind.onPods ?? false,
    ...(stateRefs.length > 0 ? { stateRefs } : {}),
  };
}

/** A short hash of any JSON. */
const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);

type Undigested = Omit<Plan, 'digest' | 'generation'>;

function planned(spec: TargetAppSpec, defaults: PlanDefaults): Undigested {
  const interval = spec.pollingInterval ?? defaults.pollingInterval;
  const suspendUntil = timeOf(spec.suspendUntil);
  return {
    endpoint: spec.graphqlEndpoint,
    source: hashOf([spec.graphqlEndpoint, spec.port, spec.scheme, spec.stateQuery, spec.variables]),
    perPod: spec.graphqlEndpoint.startsWith('/'),
    intervalMs: interval * 1000,
    timeoutMs: Math.min(spec.timeout ?? defaults.timeout, interval) * 1000,
    queriesAtOnce: defaults.queriesAtOnce,
    heartbeatMs: defaults.statusHeartbeat * 1000,
    suspend: spec.suspend ?? false,
    ...(suspendUntil === undefined ? {} : { suspendUntil }),
    dryRun: spec.dryRun ?? false,
    onUnknown: spec.onUnknown ?? 'keep',
    ignoreFields: spec.ignoreFields ?? [],
    events: (spec.events ?? []) as TransitionPlan[],
    rules: (spec.actions ?? []).map((rule, index) => rulePlan(rule, index, defaults)),
    problems: specProblems(spec),
  };
}

/** The plan of a spec that its schema refuses: nothing is watched, and it says why. */
const unplannable = (problems: SpecProblem[], defaults: PlanDefaults): Undigested => ({
  endpoint: '',
  source: '',
  perPod: true,
  intervalMs: defaults.pollingInterval * 1000,
  timeoutMs: Math.min(defaults.timeout, defaults.pollingInterval) * 1000,
  queriesAtOnce: defaults.queriesAtOnce,
  heartbeatMs: defaults.statusHeartbeat * 1000,
  suspend: false,
  dryRun: false,
  onUnknown: 'keep',
  ignoreFields: [],
  events: [],
  rules: [],
  problems,
});

/**
 * What the workflow needs to know of a TargetApp: its spec with defaults filled in and durations in milliseconds, and
 * every problem that the API server could not refuse. Never throws on a spec, whatever it holds.
 */
export function planOf({ metadata, spec }: PlannedApp, defaults: PlanDefaults): Plan {
  const parsed = TargetAppSpec.safeParse(spec);
  const plan = parsed.success
    ? planned(parsed.data, defaults)
    : unplannable(schemaProblems(parsed.error, 'spec', spec), defaults);
  const { generation } = metadata;
  return { digest: `g${generation}-${hashOf([plan, defaults.salt])}`, generation, ...plan };
}
