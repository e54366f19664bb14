import { backoffMs } from '../backoff.ts';
import { inSeconds } from '../seconds.ts';
import type { CompiledRule, CompiledSpec } from './compiled-spec.ts';
import type { Scope, SubjectView } from './findings.ts';
import { type Load, loadKey } from './load.ts';
import type { Episode, FiringRecord, HeldBackReason, RuleMemory, SubjectMemory } from './memory.ts';

/** What advancing a rule needs; `memory` is this turn's own copy and may be written. */
export interface RuleTurn {
  /** The TargetApp's. */
  uid: string;
  spec: CompiledSpec;
  rule: CompiledRule;
  memory: RuleMemory;
  /** Epoch milliseconds. */
  now: number;
  /** This turn's own copy: each firing takes of its room. */
  load: Load;
  /** Longest value, as JSON, that an action is told or an episode remembers: both travel through the history. */
  maxCarried: number;
}

/** What keeps a rule from firing. */
export interface Suppression {
  reason: HeldBackReason;
  message: string;
  /** It is not the rule's own limit that holds it back: a change is not used up by it. */
  isPassing?: true;
}

/** As Kubernetes does with containers that crash again and again: 10 s, 20 s, 40 s … 5 min; forgotten after 10 min. */
const backOff = { firstMs: 10_000, longestMs: 300_000, forgottenMs: 600_000 };

/** The firings that back-off counts: restarts since all was well, or what was done to pods that were ill from the start. */
function countedFirings({ rule, memory }: Pick<RuleTurn, 'memory' | 'rule'>): FiringRecord[] {
  if (!rule.paced) return memory.firings.filter(({ ineffective: inVain }) => inVain);
  const { calmAt } = memory;
  return calmAt === undefined ? memory.firings : memory.firings.filter(({ at }) => at > calmAt);
}

/** How many of the last firings follow each other without a pause that lets them be forgotten; several at once are one. */
function inARow(firings: FiringRecord[]): number {
  const times = [...new Set(firings.map(({ at }) => at))];
  const broken = times.findLastIndex((at, index) => index > 0 && at - (times[index - 1] ?? at) >= backOff.forgottenMs);
  return times.length - Math.max(0, broken);
}

/** When the back-off after the last firing ends, or is forgotten; epoch milliseconds. */
export function backOffEnds(rule: CompiledRule, memory: RuleMemory): number[] {
  const firings = countedFirings({ rule, memory });
  const last = firings.at(-1)?.at;
  return last === undefined ? [] : [last + backoffMs(backOff, inARow(firings)), last + backOff.forgottenMs];
}

/**
 * A pod that comes up in the state for which its predecessor was restarted must not be restarted at every poll, and the
 * pods of one workload not all at once: each time that does not help, the next attempt waits longer.
 */
function backOffOf(turn: RuleTurn, episode: Episode): Suppression | undefined {
  const { rule, now } = turn;
  if (!rule.paced && !(rule.onPods && episode.baseline)) return undefined;
  const firings = countedFirings(turn);
  const last = firings.at(-1)?.at;
  if (last === undefined || (!rule.paced && last === now) || now - last >= backOff.forgottenMs) return undefined;
  const waitMs = backoffMs(backOff, inARow(firings));
  if (now - last >= waitMs) return undefined;
  return {
    reason: 'BackOff',
    message: rule.paced
      ? `the last restart was ${inSeconds(now - last)} ago and not all is well yet, the back-off is ${inSeconds(waitMs)}`
      : `it did not help ${inSeconds(now - last)} ago, the back-off is ${inSeconds(waitMs)}`,
  };
}

function cooldownOf({ rule, memory, now }: RuleTurn, subject: string, episode: Episode): Suppression | undefined {
  const own = memory.firings.findLast((firing) => firing.subject === subject)?.at;
  // A pod that replaces another one is held back by what was done to that one.
  const last = Math.max(own ?? Number.NEGATIVE_INFINITY, episode.inherited?.firedAt ?? Number.NEGATIVE_INFINITY);
  if (now - last >= rule.cooldownMs) return undefined;
  return {
    reason: 'Cooldown',
    message: `fired ${inSeconds(now - last)} ago, the cooldown is ${inSeconds(rule.cooldownMs)}`,
  };
}

function mostFiringsOf({ rule, memory, now }: RuleTurn): Suppression | undefined {
  if (rule.maxFirings === undefined) return undefined;
  const { max, perMs } = rule.maxFirings;
  const within = memory.firings.filter(({ at }) => now - at < perMs).length;
  if (within < max) return undefined;
  return {
    reason: 'MaxFirings',
    message: `fired ${within} times within ${inSeconds(perMs)}, the limit is ${max}`,
  };
}

/** How long a pod that never answered is given to start, where neither the rule nor its startup probe says. */
const defaultGraceMs = 300_000;

/** When a pod that never answered has had its time to start; undefined for one that has answered. Epoch milliseconds. */
export function startUpEnd(rule: CompiledRule, subject: SubjectMemory): number | undefined {
  const { hash, startedAt, startupMs, seenAt } = subject;
  if (hash !== undefined) return undefined;
  return (startedAt ?? seenAt ?? 0) + (rule.startupGraceMs ?? startupMs ?? defaultGraceMs);
}

/** Milliseconds that a pod which never answered still has to start, before it may be restarted. */
const startingMs = ({ rule, now }: RuleTurn, view: SubjectView): number =>
  rule.paced ? (startUpEnd(rule, view) ?? now) - now : 0;

/** The subjects of a scope that are not just starting. */
export const started = (turn: RuleTurn, { satisfied }: Scope): SubjectView[] =>
  satisfied.filter((view) => startingMs(turn, view) <= 0);

function startUpOf(turn: RuleTurn, scope: Scope): Suppression | undefined {
  const left = Math.min(...scope.satisfied.map((view) => startingMs(turn, view)));
  if (scope.satisfied.length === 0 || left <= 0) return undefined;
  return {
    reason: 'StartingUp',
    message: `it never answered yet and has ${inSeconds(left)} left to start`,
    isPassing: true,
  };
}

function busyOf({ rule, load }: RuleTurn, subject: string): Suppression | undefined {
  if (load.waiting.has(loadKey(rule.key, subject)))
    return { reason: 'Busy', message: 'an earlier action of this rule on it has not ended yet', isPassing: true };
  if (load.room > 0) return undefined;
  return { reason: 'Busy', message: 'too many actions of this TargetApp have not ended yet', isPassing: true };
}

/** Why a rule may not fire now, if so. */
export const suppressionOf = (turn: RuleTurn, scope: Scope, episode: Episode): Suppression | undefined =>
  startUpOf(turn, scope) ??
  cooldownOf(turn, scope.subject, episode) ??
  backOffOf(turn, episode) ??
  mostFiringsOf(turn) ??
  busyOf(turn, scope.subject);
