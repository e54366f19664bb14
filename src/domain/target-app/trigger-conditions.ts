import { equal } from '../diff.ts';
import type { Json } from '../json.ts';
import { membersOf } from '../membership.ts';
import { matchesPattern } from '../pattern/pattern.ts';
import { hasPart } from '../text-search.ts';

/** `mismatch`: the two things cannot be compared, which counts as not true and is said once. */
export type Verdict = boolean | 'mismatch';

/**
 * A trigger condition. `level`: true or false of one state. `edge`: true only against an earlier state of the same
 * subject. `absence`: about the lack of a state: what kind of failure there is instead, or that nobody is there to ask.
 */
export type Condition =
  | { kind: 'level'; value: 'required' | 'list' | 'none'; holds(found: Json[], expected: Json): Verdict }
  | { kind: 'edge'; value: 'required' | 'none'; holds(now: Json[], before: Json[], expected: Json): Verdict }
  | { kind: 'absence'; of: 'failing' | 'noPods' | 'unreachable'; value: 'none' };

/** Longest text that `matches` looks at: an expression runs inside the workflow, where time is short. */
const maxMatchLength = 4096;

const isComparable = (a: Json, b: Json): boolean => a === null || b === null || typeof a === typeof b;

/** Whether a list has a value; where nothing in it can be compared with the value, that cannot be said. */
const among = (items: Json[], value: Json): Verdict =>
  items.some((item) => equal(item, value)) ||
  (items.length > 0 && !items.some((item) => isComparable(item, value)) && 'mismatch');

const compare =
  (accept: (found: number, expected: number) => boolean) =>
  (found: Json, expected: Json): Verdict => {
    if (found === null) return false;
    return typeof found === 'number' && typeof expected === 'number' ? accept(found, expected) : 'mismatch';
  };

function contains(found: Json, expected: Json): Verdict {
  if (found === null) return false;
  if (Array.isArray(found)) return among(found, expected);
  return typeof found === 'string' && typeof expected === 'string' ? hasPart(found, expected) : 'mismatch';
}

function matches(found: Json, expected: Json): Verdict {
  if (found === null) return false;
  if (typeof found !== 'string' || typeof expected !== 'string') return 'mismatch';
  return matchesPattern(expected, found.slice(0, maxMatchLength)) ?? 'mismatch';
}

const not = (verdict: Verdict): Verdict => (verdict === 'mismatch' ? verdict : !verdict);

function isIn(found: Json, expected: Json): Verdict {
  if (!Array.isArray(expected)) return 'mismatch';
  const members = membersOf(expected);
  return members.has(found) || (expected.length > 0 && !members.isComparable(found) && 'mismatch');
}

/** True when any of the values found satisfies (`[*]` = any element); with none found (absent) it is false. */
const anyOf =
  (judge: (found: Json, expected: Json) => Verdict) =>
  (found: Json[], expected: Json): Verdict => {
    const verdicts = found.map((value) => judge(value, expected));
    return verdicts.includes(true) || (verdicts.includes('mismatch') && 'mismatch');
  };

const equals = (found: Json, expected: Json): Verdict =>
  isComparable(found, expected) ? equal(found, expected) : 'mismatch';

const differ = (now: Json[], before: Json[]): boolean => !equal(now, before);

const countOf = (values: Json[], value: Json): number => values.filter((item) => equal(item, value)).length;

/**
 * Whether a value is in a place now where it was not before. Of `[*]` the elements are compared one by one, or when there
 * are more or fewer of them now, by how many have the value.
 */
function arrived(now: Json[], before: Json[], expected: Json): Verdict {
  if (!differ(now, before)) return false;
  const hasArrived =
    now.length === before.length
      ? now.some((value, i) => equal(value, expected) && !equal(before[i], expected))
      : countOf(now, expected) > countOf(before, expected);
  return hasArrived || (anyOf(equals)(now, expected) === 'mismatch' && 'mismatch');
}

const movedOne = (a: Json, b: Json | undefined, accept: (now: number, before: number) => boolean): Verdict => {
  if (b === undefined || a === null || b === null) return false;
  return typeof a === 'number' && typeof b === 'number' ? accept(a, b) : 'mismatch';
};

/** Elements of `[*]` are compared one by one; with more or fewer of them than before it cannot be said which moved. */
const moved =
  (accept: (now: number, before: number) => boolean) =>
  (now: Json[], before: Json[]): Verdict => {
    if (now.length !== before.length) return false;
    const verdicts = now.map((value, i) => movedOne(value, before[i], accept));
    return verdicts.includes(true) || (verdicts.includes('mismatch') && 'mismatch');
  };

const level = (value: 'required' | 'list', judge: (found: Json, expected: Json) => Verdict): Condition => ({
  kind: 'level',
  value,
  holds: anyOf(judge),
});

/** The table of trigger conditions, in alphabetical order. Adding one is one entry here and one row in its test. */
export const conditions = {
  changed: { kind: 'edge', value: 'none', holds: differ },
  changed_from: {
    kind: 'edge',
    value: 'required',
    holds: (now, before, expected) => arrived(before, now, expected),
  },
  changed_to: {
    kind: 'edge',
    value: 'required',
    holds: arrived,
  },
  contains: level('required', contains),
  decreased: { kind: 'edge', value: 'none', holds: moved((now, before) => now < before) },
  equals: level('required', equals),
  exists: { kind: 'level', value: 'none', holds: (found) => found.length > 0 },
  failing: { kind: 'absence', of: 'failing', value: 'none' },
  greater_or_equal: level(
    'required',
    compare((found, expected) => found >= expected),
  ),
  greater_than: level(
    'required',
    compare((found, expected) => found > expected),
  ),
  in: level('list', isIn),
  increased: { kind: 'edge', value: 'none', holds: moved((now, before) => now > before) },
  less_or_equal: level(
    'required',
    compare((found, expected) => found <= expected),
  ),
  less_than: level(
    'required',
    compare((found, expected) => found < expected),
  ),
  matches: level('required', matches),
  noPods: { kind: 'absence', of: 'noPods', value: 'none' },
  not_contains: level('required', (found, expected) => not(contains(found, expected))),
  not_equals: level('required', (found, expected) => not(equals(found, expected))),
  not_exists: { kind: 'level', value: 'none', holds: (found) => found.length === 0 },
  not_in: level('list', (found, expected) => not(isIn(found, expected))),
  unreachable: { kind: 'absence', of: 'unreachable', value: 'none' },
} satisfies Record<string, Condition>;

export type ConditionName = keyof typeof conditions;

/** The condition of that name; undefined for a name that is not in the table. */
export const conditionNamed = (name: string): Condition | undefined =>
  Object.hasOwn(conditions, name) ? conditions[name as ConditionName] : undefined;
