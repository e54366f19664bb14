import { nextRoomAt } from '../pacing.ts';
import type { CompiledRule, CompiledSpec } from './compiled-spec.ts';
import { finding, type SubjectView } from './findings.ts';
import type { Memory, RuleMemory, SubjectMemory } from './memory.ts';
import { replacementMs } from './recovery.ts';
import { edgeTroubleMs } from './rule-status.ts';
import { backOffEnds, startUpEnd } from './suppression.ts';
import { conditionNamed } from './trigger-conditions.ts';
import { undecidedNow } from './undecided.ts';

/** When open episodes are due to fire, or to fire again. */
const episodesDue = ({ forMs, repeatMs }: CompiledRule, { episodes }: RuleMemory): number[] =>
  Object.values(episodes).flatMap(({ since, firedAt }) => {
    if (firedAt === undefined) return [since + forMs];
    return repeatMs === undefined ? [] : [firedAt + repeatMs];
  });

/** When what holds a rule back ends. */
function suppressionsEnd(rule: CompiledRule, memory: RuleMemory, subjects: SubjectMemory[]): number[] {
  const { cooldownMs, maxFirings, paced } = rule;
  const inherited = Object.values(memory.episodes).flatMap(({ inherited: incident }) => incident?.firedAt ?? []);
  const fired = memory.firings.map(({ at }) => at);
  return [
    ...[...fired, ...inherited].map((at) => at + cooldownMs),
    ...(maxFirings === undefined ? [] : fired.map((at) => at + maxFirings.perMs)),
    ...backOffEnds(rule, memory),
    ...(paced ? subjects.flatMap((subject) => startUpEnd(rule, subject) ?? []) : []),
  ];
}

/** When time alone may change something about one rule; it may be more often than it does. */
function ruleDue(rule: CompiledRule, memory: RuleMemory, subjects: SubjectMemory[]): number[] {
  const isOpen = Object.keys(memory.episodes).length > 0 || memory.missed !== undefined;
  return [
    ...episodesDue(rule, memory),
    ...(isOpen ? suppressionsEnd(rule, memory, subjects) : []),
    ...(memory.orphans ?? []).map(({ goneAt = 0 }) => goneAt + replacementMs),
    ...(memory.trouble === undefined ? [] : [memory.trouble.at + edgeTroubleMs]),
  ];
}

/**
 * Whether the next poll says more of a rule even if nothing differs. A condition about a change is asked in the moment of the
 * change, and of a state that stays as it is from then on; and that all is well is noted after a firing only.
 */
function isUnsettled(
  spec: CompiledSpec,
  rule: CompiledRule,
  memory: RuleMemory,
  views: SubjectView[],
  now: number,
): boolean {
  const lastFiring = memory.firings.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const isHeldBack = Object.values(memory.episodes).some(({ suppressed }) => suppressed !== undefined);
  // What was done at this moment holds others back from the next one on only.
  if (lastFiring === now && (rule.paced || isHeldBack)) return true;
  if (conditionNamed(rule.trigger.condition)?.kind !== 'edge') return false;
  const byView = new Map(views.map((view) => [view, finding(rule, view, spec.ignoreFields)]));
  const findings = [...byView.values()];
  const isCalmUnnoted =
    rule.paced && lastFiring > (memory.calmAt ?? Number.NEGATIVE_INFINITY) && !findings.some(Boolean);
  const isMismatchUntold = !memory.mismatch && findings.includes('mismatch');
  const undecided = undecidedNow(rule, byView, memory.undecided, now);
  return isCalmUnnoted || isMismatchUntold || undecided?.reason !== memory.undecided?.reason;
}

/** The subjects as the next poll sees them if nothing differs. */
const unchanged = ({ subjects }: Memory): SubjectView[] =>
  Object.entries(subjects).map(([subject, known]) => ({
    ...known,
    subject,
    ...(known.state !== undefined && { previous: known.state }),
  }));

/**
 * When time alone may change a verdict, in epoch milliseconds: until then, and as long as nothing differs, judging again leads
 * to nothing. Infinity when it never may.
 *
 * @param judgedAt when it was judged last: what was due then has been seen to
 */
export function dueAt(memory: Memory, judgedAt: number): number {
  const { plan: spec, rules, pacing } = memory;
  if (spec === undefined) return judgedAt;
  const views = unchanged(memory);
  const known = spec.rules.flatMap((rule) => {
    const its = rules[rule.key];
    return its === undefined ? [] : [{ rule, its }];
  });
  if (known.some(({ rule, its }) => isUnsettled(spec, rule, its, views, judgedAt))) return judgedAt;
  const times = [
    ...known.flatMap(({ rule, its }) => ruleDue(rule, its, views)),
    ...(spec.suspendUntil === undefined ? [] : [spec.suspendUntil]),
    ...(pacing === undefined ? [] : [nextRoomAt(pacing, judgedAt)]),
  ];
  return Math.min(...times.filter((at) => at > judgedAt), Number.POSITIVE_INFINITY);
}
