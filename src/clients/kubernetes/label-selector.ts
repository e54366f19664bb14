import type { LabelSelector } from '../../domain/selector.ts';

const operators: Record<string, (key: string, values: string) => string> = {
  DoesNotExist: (key) => `!${key}`,
  Exists: (key) => key,
  In: (key, values) => `${key} in (${values})`,
  NotIn: (key, values) => `${key} notin (${values})`,
};

/** A selector as the API server takes it in a query. */
export const selectorText = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => operators[operator]?.(key, values.join(',')) ?? key),
  ].join(',');
