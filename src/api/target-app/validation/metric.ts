import { isIgnored } from '../../../domain/ignored.ts';
import type { SpecProblem } from '../../../domain/spec-problem.ts';
import { type Selected, selectedBelow, unselected } from '../query.ts';
import type { TargetAppSpec } from '../schema.ts';

function repeated(metrics: readonly string[], index: number): string | undefined {
  const field = metrics[index] ?? '';
  const first = metrics.indexOf(field);
  return first === index ? undefined : `'${field}' is spec.metrics[${first}] already: remove it`;
}

function ignored(field: string, ignoreFields: readonly string[]): string | undefined {
  const by = ignoreFields.findIndex((ignoredField) => isIgnored(field, [ignoredField]));
  if (by === -1) return undefined;
  return `'${field}' is ignored by spec.ignoreFields[${by}], and what is ignored is not exported: take it out of one of the two`;
}

function composite(selected: Selected, field: string): string | undefined {
  const [first] = selectedBelow(selected, field);
  if (first === undefined) return undefined;
  return `'${field}' has fields of its own and is no single value: name one of them, e.g. ${field}.${first}`;
}

/**
 * What is wrong with `spec.metrics` that neither its schema nor the API server can say: each field must be able to have a
 * value in the status.
 *
 * @param selected what the query selects; undefined when that is not known
 */
export const metricProblems = (
  { metrics = [], ignoreFields = [] }: TargetAppSpec,
  selected: Selected | undefined,
): SpecProblem[] =>
  metrics.flatMap((field, index) => {
    const message =
      repeated(metrics, index) ??
      ignored(field, ignoreFields) ??
      (selected && (unselected(selected, field) ?? composite(selected, field)));
    return message === undefined ? [] : [{ field: `spec.metrics[${index}]`, message }];
  });
