import { brief } from '../diff.ts';
import { own } from '../json.ts';
import type { PodRef } from '../refs.ts';
import type { CompiledRule, CompiledSpec } from './compiled-spec.ts';
import { type Finding, type PodsSeen, podOf, type Scope, type SubjectView, scopesOf } from './findings.ts';
import { edgeOf, type FiredRequest, fire, firstValue } from './firing.ts';
import { type Load, noLoad } from './load.ts';
import {
  type Episode,
  type FiringRecord,
  type FiringUndo,
  newRuleMemory,
  type RuleMemory,
  type SuppressionReason,
} from './memory.ts';
import { wholeApp } from './observation.ts';
import { close, keepOrphans, settleOrphans } from './recovery.ts';
import { type RuleTurn, type Suppression, suppressionOf } from './suppression.ts';
import { conditionNamed } from './trigger-conditions.ts';
import { mismatchText, undecidedNow } from './undecided.ts';

/** A rule that fires, or could have fired and did not, or whose incident is over. */
export type Decision =
  | { kind: 'fire'; rule: CompiledRule; subject: string; request: FiredRequest; undo: FiringUndo }
  | { kind: 'recover'; rule: CompiledRule; subject: string; pod?: PodRef; since: number; requests: FiredRequest[] }
  | { kind: 'suppress'; rule: CompiledRule; subject: string; pod?: PodRef; reason: SuppressionReason; message: string }
  | { kind: 'mismatch'; rule: CompiledRule; subject: string; pod?: PodRef; message: string };

/** Whether an episode is due to fire: held long enough and not fired yet, or due to fire again. */
function isDue({ rule, now }: RuleTurn, episode: Episode): boolean {
  if (episode.firedAt !== undefined) return rule.repeatMs !== undefined && now - episode.firedAt >= rule.repeatMs;
  return now - episode.since >= rule.forMs;
}

function suppress(
  { rule, memory, now }: RuleTurn,
  scope: Scope,
  episode: Episode,
  { reason, message }: Suppression,
): Decision | undefined {
  const isTold = episode.suppressed?.includes(reason);
  const last = memory.lastSuppression;
  // What is told already is noted again only when something else happened since: a status must not change at every poll.
  if (!isTold || last?.reason !== reason || (memory.firings.at(-1)?.at ?? 0) > last.at)
    memory.lastSuppression = { reason, message, at: now };
  if (isTold) return undefined;
  episode.suppressed = [...(episode.suppressed ?? []), reason];
  return { kind: 'suppress', rule, subject: scope.subject, pod: scope.satisfied.map(podOf)[0], reason, message };
}

/** What is not known never fires: it keeps a running clock, or stops it, as `onUnknown` says. */
function holdUnknown(turn: RuleTurn, scope: Scope): Decision | undefined {
  const episode = turn.memory.episodes[scope.subject];
  if (episode === undefined) return undefined;
  if (turn.spec.onUnknown === 'reset' && episode.firedAt === undefined) {
    delete turn.memory.episodes[scope.subject];
    return undefined;
  }
  if (!isDue(turn, episode)) return undefined;
  return suppress(turn, scope, episode, {
    reason: 'Unknown',
    message: scope.satisfied.some(({ failure }) => failure !== undefined)
      ? 'the last observation failed, so the condition is not known to hold'
      : 'part of what it asks for is not known, so the condition is not known to hold',
  });
}

/** The episode of a scope whose condition holds: the open one, or a new one. An edge is over as soon as it was seen. */
function episodeOf(
  { rule, memory, now, maxCarried }: RuleTurn,
  { subject, satisfied }: Scope,
  isEdge: boolean,
): Episode {
  const [view] = satisfied;
  const known = isEdge ? undefined : own(memory.episodes, subject);
  const pod = view !== undefined && subject !== wholeApp ? view.name : undefined;
  if (known !== undefined) return pod === undefined || known.pod !== undefined ? known : Object.assign(known, { pod });
  const before = brief(firstValue(view?.previous, rule.trigger.field), maxCarried);
  return {
    since: now,
    ...(view?.previous === undefined && { baseline: true }),
    ...(before !== undefined && { before }),
    ...(pod !== undefined && { pod }),
  };
}

/** An edge that may not fire now is not made up for, unless it was held back by what no rule asked for. */
function keepEdge(turn: RuleTurn, scope: Scope, episode: Episode, { isPassing }: Suppression): void {
  if (isPassing) turn.memory.missed = { ...turn.memory.missed, [scope.subject]: edgeOf(turn, scope, episode) };
}

/** Fires for a change that was held back, as soon as nothing does so any more. */
function makeUpFor(turn: RuleTurn, scope: Scope): Decision[] {
  const { memory } = turn;
  const edge = memory.missed && own(memory.missed, scope.subject);
  if (edge === undefined) return [];
  const episode: Episode = { since: edge.since };
  if (suppressionOf(turn, scope, episode) !== undefined) return [];
  const { [scope.subject]: _, ...missed } = memory.missed ?? {};
  if (Object.keys(missed).length > 0) memory.missed = missed;
  else delete memory.missed;
  return [fire(turn, scope, episode, edge)];
}

/** Advances one scope of one rule: opens, holds, fires or closes its episode. */
function advance(turn: RuleTurn, scope: Scope, views: SubjectView[]): (Decision | undefined)[] {
  const { rule, memory } = turn;
  const isEdge = conditionNamed(rule.trigger.condition)?.kind === 'edge';
  const madeUpFor = isEdge ? makeUpFor(turn, scope) : [];
  if (scope.finding === 'unknown') return [...madeUpFor, holdUnknown(turn, scope)];
  if (scope.finding !== true) return [...madeUpFor, ...close(turn, scope, views)];
  const episode = episodeOf(turn, scope, isEdge);
  if (!isEdge) memory.episodes[scope.subject] = episode;
  if (!isDue(turn, episode)) return madeUpFor;
  const hindrance = suppressionOf(turn, scope, episode);
  if (hindrance === undefined) return [...madeUpFor, fire(turn, scope, episode)];
  if (isEdge) keepEdge(turn, scope, episode, hindrance);
  return [...madeUpFor, suppress(turn, scope, episode, hindrance)];
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
      message: mismatchText(rule, view.state),
    },
  ];
}

/** Firings that are always remembered: the last one is shown, and those before it may yet be undone. */
const alwaysRemembered = 10;
/** Firings that a rule remembers at most: as many as `maxFirings` can ask for. */
const mostRemembered = 1_000;
/** Back-off forgets after ten minutes, but a row of waits of five minutes each must stay together. */
const backOffMs = 30 * 60_000;

/** The firings that something still depends on. */
function stillCounted({ rule, memory, now }: RuleTurn): FiringRecord[] {
  const isCounted = rule.paced || rule.onPods ? backOffMs : 0;
  const window = Math.max(rule.cooldownMs, rule.maxFirings?.perMs ?? 0, isCounted);
  const { length } = memory.firings;
  const kept = memory.firings.filter(({ at }, index) => index >= length - alwaysRemembered || now - at < window);
  return kept.slice(-mostRemembered);
}

/** Forgets subjects that are gone, and firings that no longer hold anything back. */
function pruned(turn: RuleTurn, scopes: Scope[]): void {
  const { memory } = turn;
  const subjects = new Set(scopes.map((scope) => scope.subject));
  const gone = Object.keys(memory.episodes).filter((subject) => !subjects.has(subject));
  keepOrphans(turn, gone);
  for (const subject of gone) delete memory.episodes[subject];
  for (const subject of Object.keys(memory.missed ?? {})) if (!subjects.has(subject)) delete memory.missed?.[subject];
  memory.firings = stillCounted(turn);
}

/** Notes that all is well, so that a later incident is not held back by what this one took; only repeated restarts are. */
function noteCalm({ rule, memory, now }: RuleTurn, scopes: Scope[], isComplete: boolean): void {
  if (!rule.paced) return;
  const last = memory.firings.at(-1);
  if (last === undefined || last.at <= (memory.calmAt ?? Number.NEGATIVE_INFINITY) || last.at === now) return;
  const isCalm = isComplete && scopes.length > 0 && scopes.every(({ finding }) => finding === false);
  if (isCalm && memory.orphans === undefined) memory.calmAt = now;
}

/** What surrounds a judgement: when it is, which pods there are, and what there is room for. */
export interface Circumstances extends PodsSeen {
  /** Epoch milliseconds. */
  now: number;
  load?: Load;
}

/** Bytes of values that all rules together may carry into a history at one turn. */
const carriedBytes = 256 * 1024;
const longestCarried = 4_096;
const shortestCarried = 64;

/** How long one value may be, so that many rules on many pods still fit into what Temporal takes. */
function carriedLength(spec: CompiledSpec, views: SubjectView[]): number {
  const values =
    spec.rules.reduce((sum, { stateRefs = [] }) => sum + 2 + stateRefs.length, 0) * Math.max(1, views.length);
  return Math.max(shortestCarried, Math.min(longestCarried, Math.floor(carriedBytes / Math.max(1, values))));
}

/**
 * What the rules of a spec make of what was seen: pure, the same for the same arguments. Returns the decisions in the
 * order of the rules and the rules' new memory; what was passed is left alone.
 */
export function evaluateRules(
  uid: string,
  spec: CompiledSpec,
  rules: Record<string, RuleMemory>,
  views: SubjectView[],
  { now, load = noLoad, ...pods }: Circumstances,
): { rules: Record<string, RuleMemory>; decisions: Decision[] } {
  const next: Record<string, RuleMemory> = {};
  const shared = { uid, spec, now, load: { ...load }, maxCarried: carriedLength(spec, views) };
  const decisions = spec.rules.flatMap((rule) => {
    const memory = copied(own(rules, rule.key) ?? newRuleMemory());
    next[rule.key] = memory;
    const turn: RuleTurn = { ...shared, rule, memory };
    const { scopes, findings } = scopesOf(rule, spec, views, pods);
    pruned(turn, scopes);
    const recovered = settleOrphans(turn, scopes, pods.matched);
    const advanced = scopes.flatMap((scope) => advance(turn, scope, views)).filter((it) => it !== undefined);
    const undecided = undecidedNow(rule, findings, memory.undecided, now);
    if (undecided === undefined) delete memory.undecided;
    else memory.undecided = undecided;
    noteCalm(turn, scopes, views.length >= pods.matched);
    return [...mismatchIn(turn, findings), ...recovered, ...advanced];
  });
  return { rules: next, decisions };
}

const copied = (memory: RuleMemory): RuleMemory => ({
  ...memory,
  episodes: Object.fromEntries(Object.entries(memory.episodes).map(([subject, episode]) => [subject, { ...episode }])),
  firings: [...memory.firings],
  ...(memory.missed !== undefined && { missed: { ...memory.missed } }),
});
