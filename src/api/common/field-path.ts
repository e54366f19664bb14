import { z } from 'zod';
import { pathProblem } from '../../domain/path.ts';
import { cel } from './cel.ts';

/** One name of a path, as RE2 for CEL. */
export const fieldName = '[^.\\[\\]{}\\s\'"]+';
const segment = `${fieldName}(\\[([0-9]{1,9}|\\*)\\])*`;
const howTo =
  'write field names with dots, and [0] or [*] for list elements, e.g. application.health or nodes[*].status';

/** A dotted path into the data of the query: `a.b`, `a[0].b`, `a[*].b`. */
export const FieldPath = z
  .string()
  .max(256)
  .superRefine((text, context) => {
    const message = pathProblem(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({
    description:
      'A dotted path into the data of the query, e.g. application.health, nodes[0].status or nodes[*].status (any element).',
    ...cel({
      rule: `self.matches(r"""^${segment}(\\.${segment})*$""")`,
      message: `is not a path: ${howTo}`,
      messageExpression: `"'" + self + "' is not a path: ${howTo}"`,
    }),
  });
export type FieldPath = z.infer<typeof FieldPath>;
