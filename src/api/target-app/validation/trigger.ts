import { decimalOf } from '../../../domain/decimal.ts';
import type { Json } from '../../../domain/json.ts';
import { patternProblem } from '../../../domain/pattern/pattern.ts';
import type { SpecProblem } from '../../../domain/spec-problem.ts';
import { type Condition, type ConditionName, conditions } from '../../../domain/target-app/trigger-conditions.ts';
import { shownValue } from '../../common/schema-problems.ts';
import { comparing, type Trigger } from '../trigger.ts';

const comparesNumbers: readonly ConditionName[] = ['greater_or_equal', 'greater_than', 'less_or_equal', 'less_than'];

const instead: Partial<Record<ConditionName, string>> = {
  changed: ', or use changed_to or changed_from',
  exists: ', or use equals',
  not_exists: ', or use not_equals',
};

const isUnsafe = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);

/** A number in YAML that KCO itself would read as its neighbour. */
function unsafeProblem({ value }: Trigger): string | undefined {
  const unsafe = (Array.isArray(value) ? value : [value]).find(isUnsafe);
  return unsafe === undefined
    ? undefined
    : `has a number beyond 2^53, which cannot be compared exactly: write it in quotes, and add as: number`;
}

const comparesNumbersOf = ({ condition }: Trigger): boolean => comparing.some((name) => name === condition);

function asNumberProblem(trigger: Trigger): string | undefined {
  const { as, value } = trigger;
  if (as === undefined || !comparesNumbersOf(trigger)) return undefined;
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = values.find((one) => one !== undefined && one !== null && decimalOf(one as Json) === undefined);
  return wrong === undefined
    ? undefined
    : `${shownValue(wrong)} is neither a number nor the text of one, and as: number compares numbers only`;
}

function numberProblem({ as, condition, value }: Trigger): string | undefined {
  if (!comparesNumbers.includes(condition) || typeof value === 'number') return undefined;
  if (as === 'number' && typeof value === 'string') return undefined;
  const hint =
    typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
      ? `: write ${Number(value)} without quotes`
      : '';
  return `${shownValue(value)} is not a number, and ${condition} compares numbers only${hint}`;
}

function textProblem(condition: ConditionName, value: unknown): string | undefined {
  if (condition !== 'matches') return undefined;
  if (typeof value !== 'string')
    return `${shownValue(value)} is not text, and matches needs a regular expression, e.g. "^(down|failed)$"`;
  const problem = patternProblem(value);
  return problem === undefined ? undefined : `${shownValue(value)} ${problem}`;
}

/** What is wrong with the value that a condition compares with; the API server cannot look into untyped values. */
function valueProblem(trigger: Trigger): string | undefined {
  const { condition, value } = trigger;
  const takes: Condition['value'] = conditions[condition].value;
  if (takes === 'none')
    return value === undefined
      ? undefined
      : `has no meaning for condition ${condition}: remove it${instead[condition] ?? ''}`;
  if (value === undefined)
    return `is required for condition ${condition}: write what the field is compared with (kubectl apply drops a null: use --server-side, or in and not_in with [null])`;
  if (takes === 'list' && !(Array.isArray(value) && value.length > 0))
    return `${shownValue(value)} is not a list with entries, which ${condition} needs: write e.g. [a, b]`;
  return unsafeProblem(trigger) ?? asNumberProblem(trigger) ?? numberProblem(trigger) ?? textProblem(condition, value);
}

const asProblem = (trigger: Trigger): string | undefined =>
  trigger.as === undefined || comparesNumbersOf(trigger)
    ? undefined
    : `has no meaning for condition ${trigger.condition}, which compares no numbers: remove it`;

function fieldProblem({ condition, field }: Trigger): string | undefined {
  const isAbsence = conditions[condition].kind === 'absence';
  if (!isAbsence && field === undefined)
    return `is required for condition ${condition}: name what it looks at, e.g. application.health`;
  return isAbsence && field !== undefined
    ? `has no meaning for condition ${condition}, which is about no field: remove it`
    : undefined;
}

const podsProblem = ({ condition, pods }: Trigger): string | undefined =>
  condition === 'noPods' && pods !== undefined
    ? `has no meaning for condition ${condition}, which is about there being none: remove it`
    : undefined;

const forProblem = ({ condition, for: held }: Trigger): string | undefined =>
  conditions[condition].kind === 'edge' && held !== undefined
    ? `has no meaning for condition ${condition}, which is true for a moment only: remove it, or use a condition that holds, such as equals`
    : undefined;

/** What is wrong with a trigger by itself, the query left aside. */
export const triggerProblems = (trigger: Trigger, at: string): SpecProblem[] =>
  [
    { field: `${at}.field`, message: fieldProblem(trigger) },
    { field: `${at}.value`, message: valueProblem(trigger) },
    { field: `${at}.for`, message: forProblem(trigger) },
    { field: `${at}.pods`, message: podsProblem(trigger) },
    { field: `${at}.as`, message: asProblem(trigger) },
  ].filter((problem): problem is SpecProblem => problem.message !== undefined);
