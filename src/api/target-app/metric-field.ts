import type { z } from 'zod';
import { cel } from '../common/cel.ts';
import { FieldPath, fieldName } from '../common/field-path.ts';

const howTo = 'write field names with dots, without [0] or [*], e.g. application.pendingTasks';

/** A path to one value that the status shows: a `FieldPath` without list elements, which stand in no status. */
export const MetricField = FieldPath.refine((text) => !text.includes('['), {
  error: `is not the path of a single value: ${howTo}`,
}).meta({
  description: 'A dotted path to a single value in the data of the query, e.g. application.pendingTasks.',
  ...cel({
    rule: `self.matches(r"""^${fieldName}(\\.${fieldName})*$""")`,
    message: `is not the path of a single value: ${howTo}`,
    messageExpression: `"'" + self + "' is not the path of a single value: ${howTo}"`,
  }),
});
export type MetricField = z.infer<typeof MetricField>;
