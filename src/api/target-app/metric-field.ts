import { z } from 'zod';
import { fieldName } from '../common/field-path.ts';
import { matching } from '../common/matching.ts';

/** A path to one value that the status shows: a `FieldPath` without list elements, which stand in no status. */
export const MetricField = matching(z.string().max(256), {
  pattern: `^${fieldName}(\\.${fieldName})*$`,
  problem:
    'is not the path of a single value: write field names with dots, without [0] or [*], e.g. application.pendingTasks',
  description: 'A dotted path to a single value in the data of the query, e.g. application.pendingTasks.',
});
export type MetricField = z.infer<typeof MetricField>;
