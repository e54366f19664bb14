import { ranked } from '../decimal.ts';
import { comparable } from '../diff.ts';
import type { Json } from '../json.ts';
import { overlapsAny, valuesAt } from '../path.ts';
import type { PodRef } from '../refs.ts';
import type { CompiledRule, CompiledSpec, Quorum, Trigger } from './compiled-spec.ts';
import type { SubjectMemory } from './memory.ts';
import { wholeApp } from './observation.ts';
import { conditionNamed, type Verdict } from './trigger-conditions.ts';

/** One subject as this turn sees it: what it says now, and what it said before. */
export interface SubjectView extends SubjectMemory {
  subject: string;
  /** The state before this observation; absent at the baseline. */
  previous?: Json;
}

/** The pod that a subject is; undefined for the app as a whole. */
export const podOf = ({ subject, name }: Pick<SubjectView, 'name' | 'subject'>): PodRef | undefined =>
  subject === wholeApp ? undefined : { uid: subject, name };

/** Which pods there are, whether they were asked or not. */
export interface PodsSeen {
  /** Pods that the selector matches. */
  matched: number;
  /** No pod that the selector matches runs. */
  nothingRuns?: true;
  /** Why it cannot be said which pods there are; absent when it can. */
  podsUnknown?: string;
}

/** What a rule's condition says of one subject; `unknown`: it cannot be said now. */
export type Finding = Verdict | 'unknown';

/** A failure of a kind that this version does not know is not concluded from either. */
function failedAs(of: string, { failure }: SubjectView): Finding {
  if (failure === undefined) return false;
  return failure.kind === 'unreachable' || failure.kind === 'failing' ? failure.kind === of : 'unknown';
}

/** The values of a comparison as they are to be compared. */
function comparing({ as, value = null }: Trigger, ...found: Json[][]): (values: Json[]) => Json[] {
  if (as !== 'number') return (values) => values;
  const toRank = ranked([...found.flat(), ...(Array.isArray(value) ? value : [value])]);
  return (values) => values.map((one) => (Array.isArray(one) ? one.map(toRank) : toRank(one)));
}

/** What a condition about one state says of the values that its field leads to. */
function satisfies(trigger: Trigger, found: Json[]): Verdict {
  const condition = conditionNamed(trigger.condition);
  if (condition?.kind !== 'level') return false;
  const compared = comparing(trigger, found);
  return condition.holds(compared(found), compared([trigger.value ?? null])[0] ?? null);
}

/** The first of some values of which a condition about one state says so. They are made comparable all at once. */
export function firstOf(trigger: Trigger, found: Json[], wanted: Verdict): Json | undefined {
  const condition = conditionNamed(trigger.condition);
  if (condition?.kind !== 'level') return undefined;
  const compared = comparing(trigger, found);
  const expected = compared([trigger.value ?? null])[0] ?? null;
  const at = compared(found).findIndex((value) => condition.holds([value], expected) === wanted);
  return found[at];
}

/** What a condition about a change says of the values now and before. */
function changed(trigger: Trigger, now: Json[], before: Json[]): Verdict {
  const condition = conditionNamed(trigger.condition);
  if (condition?.kind !== 'edge') return false;
  const compared = comparing(trigger, now, before);
  return condition.holds(compared(now), compared(before), compared([trigger.value ?? null])[0] ?? null);
}

/**
 * What a rule's condition says of one subject. A failed observation is `unknown` to all conditions but those about
 * failures, and to them too unless it is the app that fails. What is to be ignored below the rule's own field is no change
 * of it.
 */
export function finding({ trigger }: CompiledRule, view: SubjectView, ignoreFields: readonly string[] = []): Finding {
  const condition = conditionNamed(trigger.condition);
  if (condition?.kind === 'absence') return failedAs(condition.of, view);
  const field = trigger.field ?? '';
  if (condition === undefined || view.failure !== undefined || view.state === undefined) return 'unknown';
  if (view.unknown !== undefined && overlapsAny(field, view.unknown)) return 'unknown';
  if (condition.kind === 'level') return satisfies(trigger, valuesAt(view.state, field));
  if (view.previous === undefined) return false;
  const seen = (state: Json): Json[] => valuesAt(comparable(state, ignoreFields, [field]), field);
  return changed(trigger, seen(view.state), seen(view.previous));
}

/** One place where an episode can live: a pod, or the app when the rule asks for a quorum. */
export interface Scope {
  subject: string;
  finding: Finding;
  /** The subjects that satisfy the condition. */
  satisfied: SubjectView[];
}

/** The places of one rule, and what its condition says of every subject. */
export interface Findings {
  scopes: Scope[];
  findings: Map<SubjectView, Finding>;
}

/** How many of `total` subjects a quorum asks for; at least one. */
function needed(quorum: Quorum, total: number): number {
  if (quorum === 'all') return Math.max(1, total);
  if (typeof quorum !== 'object') return 1;
  return 'count' in quorum ? quorum.count : Math.max(1, Math.ceil((quorum.percent / 100) * total));
}

/** How many subjects there are: the pods that match, asked or not, and those of which nobody knows whether they exist. */
function subjectsIn({ perPod }: CompiledSpec, views: SubjectView[], { matched }: PodsSeen): number {
  if (!perPod) return views.length;
  const unconfirmed = views.filter(({ failure }) => failure?.class === 'PodUnconfirmed').length;
  return Math.max(views.length, matched + unconfirmed);
}

/**
 * What is not known may tip the balance either way, but only as long as what is known does not decide it. Where there is
 * nobody to ask nothing is known: an incident does not end because all its pods are gone.
 */
function agreed(quorum: Quorum, findings: Finding[], total: number, podsUnknown: string | undefined): Finding {
  if (total === 0 || podsUnknown !== undefined) return 'unknown';
  const satisfied = findings.filter((found) => found === true).length;
  const unknown = findings.filter((found) => found === 'unknown').length + total - findings.length;
  const want = needed(quorum, total);
  if (satisfied >= want) return true;
  return satisfied + unknown >= want ? 'unknown' : false;
}

const ofPods = ({ nothingRuns, podsUnknown }: PodsSeen): Finding =>
  podsUnknown === undefined ? nothingRuns === true : 'unknown';

/** What the condition of one rule says, everywhere where it can hold. */
export function scopesOf(rule: CompiledRule, spec: CompiledSpec, views: SubjectView[], pods: PodsSeen): Findings {
  const condition = conditionNamed(rule.trigger.condition);
  if (condition?.kind === 'absence' && condition.of === 'noPods')
    return { findings: new Map(), scopes: [{ subject: wholeApp, finding: ofPods(pods), satisfied: [] }] };
  const findings = new Map(views.map((view) => [view, finding(rule, view, spec.ignoreFields)]));
  if (rule.pods === 'each') {
    const scopes = [...findings].map(([view, found]) => ({
      subject: view.subject,
      finding: found,
      satisfied: [view],
    }));
    return { findings, scopes };
  }
  const podsUnknown = spec.perPod ? pods.podsUnknown : undefined;
  const found = agreed(rule.pods, [...findings.values()], subjectsIn(spec, views, pods), podsUnknown);
  const satisfied = views.filter((view) => findings.get(view) === true);
  return { findings, scopes: [{ subject: wholeApp, finding: found, satisfied }] };
}
