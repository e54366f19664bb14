import { z } from 'zod';
import { matching } from './matching.ts';

/** One name of a path, as RE2 for CEL. */
export const fieldName = '[^.\\[\\]{}\\s\'"]+';
const segment = `${fieldName}(\\[([0-9]{1,9}|\\*)\\])*`;

/** A dotted path into the data of the query: `a.b`, `a[0].b`, `a[*].b`. */
export const FieldPath = matching(z.string().max(256), {
  pattern: `^${segment}(\\.${segment})*$`,
  problem:
    'is not a path: write field names with dots, and [0] or [*] for list elements, e.g. application.health or nodes[*].status',
  description:
    'A dotted path into the data of the query, e.g. application.health, nodes[0].status or nodes[*].status (any element).',
});
export type FieldPath = z.infer<typeof FieldPath>;
