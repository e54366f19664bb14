import { decimalOf } from '../decimal.ts';
import { brief } from '../diff.ts';
import { isJsonObject, type Json } from '../json.ts';
import { overlapsAny, valuesAt } from '../path.ts';
import type { CompiledRule, Trigger } from './compiled-spec.ts';
import { triggerText, typed } from './event-text.ts';
import { type Finding, firstOf, type SubjectView } from './findings.ts';
import { conditionNamed } from './trigger-conditions.ts';

/** Why a rule cannot be judged, as long as that lasts. */
export interface Undecided {
  reason: 'FieldUnknown' | 'TriggerTypeMismatch';
  message: string;
  /** Epoch milliseconds. */
  since: number;
}

/** What a condition about a change asks of the values themselves: it speaks only in the moment in which they change. */
function asLevel(trigger: Trigger): Trigger {
  if (conditionNamed(trigger.condition)?.kind !== 'edge') return trigger;
  const { value } = trigger;
  return value === undefined
    ? { ...trigger, condition: 'greater_than', value: 0 }
    : { ...trigger, condition: 'equals', value };
}

/** The value that cannot be compared: of several (`[*]`) the first that cannot. */
function incomparable({ trigger }: CompiledRule, state: Json): Json | undefined {
  return firstOf(asLevel(trigger), valuesAt(state, trigger.field ?? ''), 'mismatch');
}

/** Why a text that is a number was not taken for one. */
const hintFor = ({ trigger: { as } }: CompiledRule, value: Json): string =>
  as === undefined && typeof value === 'string' && decimalOf(value) !== undefined
    ? '; add as: number to the trigger if the text is to count as a number'
    : '';

const described = (value: Json | undefined): string => {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isJsonObject(value) ? 'an object' : typed(brief(value, 80));
};

/** One sentence about a state whose value cannot be compared with what the trigger says. */
export function mismatchText(rule: CompiledRule, state: Json | undefined): string {
  const value =
    state === undefined ? undefined : (incomparable(rule, state) ?? valuesAt(state, rule.trigger.field ?? '')[0]);
  const hint = value === undefined ? '' : hintFor(rule, value);
  return `cannot tell whether ${triggerText(rule, typed)}, because the value is ${described(value)}${hint}`;
}

/** Whether the value of a field cannot be compared, be it this moment or not that somebody asks. */
function isIncomparable(rule: CompiledRule, { state }: SubjectView, found: Finding): boolean {
  const isEdge = conditionNamed(rule.trigger.condition)?.kind === 'edge';
  if (!isEdge || found === 'mismatch') return found === 'mismatch';
  return rule.trigger.value !== undefined && state !== undefined && incomparable(rule, state) !== undefined;
}

function undecidedOf(rule: CompiledRule, view: SubjectView, found: Finding): Omit<Undecided, 'since'> | undefined {
  if (view.failure !== undefined) return undefined;
  const on = view.name === '' ? '' : ` (${view.name})`;
  const { unknown = [], why = 'it came back as an error' } = view;
  const field = rule.trigger.field ?? '';
  if (overlapsAny(field, unknown)) return { reason: 'FieldUnknown', message: `${field} is not known${on}: ${why}` };
  return isIncomparable(rule, view, found)
    ? { reason: 'TriggerTypeMismatch', message: `${mismatchText(rule, view.state)}${on}` }
    : undefined;
}

/**
 * Why a rule cannot be judged on some subject that answers; undefined when it can on all. As long as it is the same reason
 * it is the same sentence: a value that changes is not news.
 */
export function undecidedNow(
  rule: CompiledRule,
  findings: ReadonlyMap<SubjectView, Finding>,
  before: Undecided | undefined,
  now: number,
): Undecided | undefined {
  for (const [view, found] of findings) {
    const is = rule.trigger.field === undefined ? undefined : undecidedOf(rule, view, found);
    if (is !== undefined) return before?.reason === is.reason ? before : { ...is, since: now };
  }
  return undefined;
}
