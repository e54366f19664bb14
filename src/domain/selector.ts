import { own } from './json.ts';

/** A Kubernetes LabelSelector; the parts are ANDed. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/** A label of which one of some values is required. */
export interface RequiredValues {
  key: string;
  values: string[];
}

/** Whether labels satisfy a selector, as the API server would say it. An empty selector selects nothing here. */
export function isSelected(selector: LabelSelector, labels: Record<string, string>): boolean {
  const byLabel = Object.entries(selector.matchLabels ?? {});
  const byExpression = selector.matchExpressions ?? [];
  if (byLabel.length + byExpression.length === 0) return false;
  return (
    byLabel.every(([key, value]) => own(labels, key) === value) &&
    byExpression.every((expression) => isMet(expression, labels))
  );
}

/** The labels of which a selector requires one of some values; no pod without it is selected. */
export const requiredValues = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): RequiredValues[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ key, values: [value] })),
  ...matchExpressions.flatMap(({ key, operator, values = [] }) => (operator === 'In' ? [{ key, values }] : [])),
];

function isMet(
  { key, operator, values = [] }: NonNullable<LabelSelector['matchExpressions']>[number],
  labels: Record<string, string>,
): boolean {
  const value = own(labels, key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
