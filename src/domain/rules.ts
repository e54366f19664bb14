import type { ActionRequest, PodRef } from './action.ts';
import { conditionNamed } from './conditions.ts';
import { brief } from './diff.ts';
import { type Finding, type PodsSeen, type Scope, type SubjectView, scopesOf } from './findings.ts';
import { countInVain, type Hindrance, hindranceTo, type RuleTurn } from './hindrance.ts';
import { type Json, own } from './json.ts';
import { type Episode, newRuleMemory, type RuleMemory, type SuppressionReason } from './memory.ts';
import { wholeApp } from './observation.ts';
import { valuesAt } from './path.ts';
import type { Plan, RulePlan } from './plan.ts';

/** A firing, less what names the TargetApp: that is the same for all of them. */
export type FiredRequest = Omit<ActionRequest, 'namespace' | 'name' | 'uid'>;

/** A rule that fires, or could have fired and did not. */
export type Decision =
  | { kind: 'fire'; rule: RulePlan; subject: string; request: FiredRequest }
  | { kind: 'suppress'; rule: RulePlan; subject: string; pod?: PodRef; reason: SuppressionReason; message: string }
  | { kind: 'mismatch'; rule: RulePlan; subject: string; pod?: PodRef; value: Json };

const isPod = (view: SubjectView): boolean => view.subject !== wholeApp;

const podOf = (view: SubjectView): PodRef | undefined =>
  isPod(view) ? { uid: view.subject, name: view.name } : undefined;

/** Whether an episode is due to fire: held long enough and not fired yet, or due to fire again. */
function isDue({ rule, now }: RuleTurn, episode: Episode): boolean {
  if (episode.firedAt !== undefined) return rule.repeatMs !== undefined && now - episode.firedAt >= rule.repeatMs;
  return now - episode.since >= rule.forMs;
}

const firstValue = (state: Json | undefined, field: string | undefined): Json | undefined =>
  state === undefined || field === undefined ? undefined : valuesAt(state, field)[0];

/** The value that made a rule fire: of several (`[*]`) the first that satisfies a level condition. */
function firedValue({ trigger }: RulePlan, state: Json | undefined): Json | undefined {
  const condition = conditionNamed(trigger.condition);
  if (state === undefined || trigger.field === undefined || condition?.kind !== 'level')
    return firstValue(state, trigger.field);
  const found = valuesAt(state, trigger.field);
  return found.find((value) => condition.holds([value], trigger.value ?? null) === true) ?? found[0];
}

/**
 * A firing's identity: the same whenever it is computed again, another for every other firing. A repeat is named by the
 * firing before it and not by a count, which a workflow that lost its memory could not go on with.
 */
const actionIdOf = ({ uid, plan, rule }: RuleTurn, subject: string, episode: Episode): string =>
  [uid, plan.generation, rule.name, subject, episode.since.toString(36), (episode.firedAt ?? 0).toString(36)].join(':');

/** Longest value, as JSON, that an action is told or an episode remembers: both travel through the history. */
const maxCarried = 4_096;

function requestOf(turn: RuleTurn, scope: Scope, episode: Episode): FiredRequest {
  const { plan, rule, now } = turn;
  const state = scope.satisfied[0]?.state;
  const request: FiredRequest = {
    id: actionIdOf(turn, scope.subject, episode),
    generation: plan.generation,
    rule: rule.name,
    action: rule.action,
    pods: scope.satisfied.map(podOf).filter((pod) => pod !== undefined),
    at: now,
    dryRun: plan.dryRun || rule.dryRun,
  };
  if (rule.trigger.field !== undefined) request.field = rule.trigger.field;
  if (episode.before !== undefined) request.oldValue = episode.before;
  const value = brief(firedValue(rule, state), maxCarried);
  if (value !== undefined) request.newValue = value;
  if (rule.stateRefs?.length)
    request.values = Object.fromEntries(
      rule.stateRefs.map((path) => [path, brief(firstValue(state, path), maxCarried) ?? null]),
    );
  return request;
}

function suppress(
  { rule, memory, now }: RuleTurn,
  scope: Scope,
  episode: Episode,
  { reason, message }: Hindrance,
): Decision | undefined {
  if (episode.suppressed?.includes(reason)) return undefined;
  episode.suppressed = [...(episode.suppressed ?? []), reason];
  memory.lastSuppression = { reason, message, at: now };
  return { kind: 'suppress', rule, subject: scope.subject, pod: scope.satisfied.map(podOf)[0], reason, message };
}

function fire(turn: RuleTurn, scope: Scope, episode: Episode): Decision {
  const { memory, rule, now } = turn;
  const request = requestOf(turn, scope, episode);
  episode.firedAt = now;
  memory.lastFired[scope.subject] = now;
  memory.lastFiredAt = now;
  countInVain(turn, episode);
  if (rule.maxFirings !== undefined) memory.firings.push(now);
  return { kind: 'fire', rule, subject: scope.subject, request };
}

/** What is not known never fires: it keeps a running clock, or stops it, as `onUnknown` says. */
function holdUnknown(turn: RuleTurn, scope: Scope): Decision | undefined {
  const episode = turn.memory.episodes[scope.subject];
  if (episode === undefined) return undefined;
  if (turn.plan.onUnknown === 'reset' && episode.firedAt === undefined) {
    delete turn.memory.episodes[scope.subject];
    return undefined;
  }
  if (!isDue(turn, episode)) return undefined;
  return suppress(turn, scope, episode, {
    reason: 'Unknown',
    message: 'the last observation failed, so the condition is not known to hold',
  });
}

/** Advances one scope of one rule: opens, holds, fires or closes its episode. */
function advance(turn: RuleTurn, scope: Scope): Decision | undefined {
  const { rule, memory, now } = turn;
  if (scope.finding === 'unknown') return holdUnknown(turn, scope);
  if (scope.finding !== true) {
    delete memory.episodes[scope.subject];
    return undefined;
  }
  // An edge is over as soon as it was seen: each is an episode of its own, and one that may not fire is not made up for.
  const isEdge = conditionNamed(rule.trigger.condition)?.kind === 'edge';
  const before = brief(firstValue(scope.satisfied[0]?.previous, rule.trigger.field), maxCarried);
  const isBaseline = scope.satisfied[0]?.previous === undefined;
  const opened: Episode = {
    since: now,
    ...(isBaseline && { baseline: true }),
    ...(before !== undefined && { before }),
  };
  const episode = (isEdge ? undefined : memory.episodes[scope.subject]) ?? opened;
  if (!isEdge) memory.episodes[scope.subject] = episode;
  if (!isDue(turn, episode)) return undefined;
  const hindrance = hindranceTo(turn, scope.subject, episode);
  return hindrance === undefined ? fire(turn, scope, episode) : suppress(turn, scope, episode, hindrance);
}

function mismatchIn({ rule, memory }: RuleTurn, findings: Map<SubjectView, Finding>): Decision[] {
  const view = [...findings].find(([, found]) => found === 'mismatch')?.[0];
  if (view === undefined || memory.mismatch) return [];
  memory.mismatch = true;
  return [
    {
      kind: 'mismatch',
      rule,
      subject: view.subject,
      pod: podOf(view),
      value: firstValue(view.state, rule.trigger.field) ?? null,
    },
  ];
}

/** Forgets subjects that are gone, and firings that no longer hold anything back. */
function pruned({ rule, memory, now }: RuleTurn, scopes: Scope[]): void {
  const subjects = new Set(scopes.map((scope) => scope.subject));
  for (const subject of Object.keys(memory.episodes)) if (!subjects.has(subject)) delete memory.episodes[subject];
  for (const [subject, at] of Object.entries(memory.lastFired))
    if (!subjects.has(subject) && now - at >= rule.cooldownMs) delete memory.lastFired[subject];
}

/** What surrounds a judgement: when it is, and which pods there are. */
export interface Circumstances extends PodsSeen {
  /** Epoch milliseconds. */
  now: number;
}

/**
 * What the rules of a plan make of what was seen: pure, the same for the same arguments. Returns the decisions in the
 * order of the rules and the rules' new memory; what was passed is left alone.
 */
export function judge(
  uid: string,
  plan: Plan,
  rules: Record<string, RuleMemory>,
  views: SubjectView[],
  { now, ...pods }: Circumstances,
): { rules: Record<string, RuleMemory>; decisions: Decision[] } {
  const next: Record<string, RuleMemory> = {};
  const decisions = plan.rules.flatMap((rule) => {
    const memory = copied(own(rules, rule.name) ?? newRuleMemory());
    next[rule.name] = memory;
    const turn: RuleTurn = { uid, plan, rule, memory, now };
    const { scopes, findings } = scopesOf(rule, plan, views, pods);
    pruned(turn, scopes);
    const advanced = scopes.map((scope) => advance(turn, scope)).filter((decision) => decision !== undefined);
    return [...mismatchIn(turn, findings), ...advanced];
  });
  return { rules: next, decisions };
}

const copied = (memory: RuleMemory): RuleMemory => ({
  ...memory,
  episodes: Object.fromEntries(Object.entries(memory.episodes).map(([subject, episode]) => [subject, { ...episode }])),
  lastFired: { ...memory.lastFired },
  firings: [...memory.firings],
});
