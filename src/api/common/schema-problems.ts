import type { z } from 'zod';
import type { SpecProblem } from '../../domain/spec-problem.ts';
import { toldProblems } from './shown-problems.ts';

type Issue = z.core.$ZodIssue;

const maxShown = 80;

/** A path as people write it: `spec.actions[2].trigger.field`. */
export const fieldAt = (root: string, path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`),
    root,
  );

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (found, step) =>
      typeof found === 'object' && found !== null ? (found as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  );

/** The value for a message: text and numbers as they are, larger things by their type. */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

const isSecret = (issue: Issue): boolean => issue.code === 'custom' && issue.params?.['isSecret'] === true;

const unit = (origin: string): string => ({ array: ' entries', set: ' entries', string: ' characters' })[origin] ?? '';

/** Of a union, what its members have to say: rather a limit than a wrong type. */
function describeUnion(issue: Issue & { code: 'invalid_union' }, value: unknown): string {
  if ('options' in issue && issue.options) return `is not allowed: use ${issue.options.map(String).join(', ')}`;
  const issues = issue.errors.flat();
  const telling = issues.find(({ code }) => code !== 'invalid_type') ?? issues[0];
  return telling === undefined ? issue.message : describe(telling, value);
}

/** What is wrong with the value, the limit, and by that the fix. */
function describe(issue: Issue, value: unknown): string {
  if (value === undefined) return 'is required: add it';
  if (issue.code === 'invalid_union') return describeUnion(issue, value);
  if (issue.code === 'invalid_type') return `has the wrong type: it must be ${issue.expected}`;
  if (issue.code === 'invalid_value') return `is not allowed: use ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small') return `is below the limit: at least ${issue.minimum}${unit(issue.origin)}`;
  if (issue.code === 'too_big') return `is above the limit: at most ${issue.maximum}${unit(issue.origin)}`;
  return issue.message;
}

function problemsOf(issue: Issue, root: string, spec: unknown): SpecProblem[] {
  const field = fieldAt(root, issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      field: `${field}.${key}`,
      message: 'is not a field here: remove it or correct its name',
    }));
  const value = valueAt(spec, issue.path);
  const sentence = describe(issue, value);
  const prefix = value === undefined || isSecret(issue) ? '' : `${shownValue(value)} `;
  return [{ field, message: `${prefix}${sentence}` }];
}

/** What a schema found wrong, as problems that name the field, the value, the limit and the fix. */
export const schemaProblems = (error: z.ZodError, root: string, spec: unknown): SpecProblem[] =>
  toldProblems(error.issues.flatMap((issue) => problemsOf(issue, root, spec)));
