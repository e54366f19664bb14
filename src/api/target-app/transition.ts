import { z } from 'zod';
import { FieldPath } from '../common/field-path.ts';
import { JsonValue } from '../common/json-value.ts';
import { matching } from '../common/matching.ts';

/** One entry of `spec.events`: a transition that is worth an Event. */
export const Transition = z
  .strictObject({
    field: FieldPath.describe('The field whose transitions are told: a dotted path into the data of the query.'),
    from: JsonValue.optional().describe(
      'The value before; any when left out. Client-side kubectl apply drops a null, which then means any: use kubectl apply --server-side.',
    ),
    to: JsonValue.optional().describe(
      'The value after; any when left out. Client-side kubectl apply drops a null, which then means any: use kubectl apply --server-side.',
    ),
    type: z.enum(['Normal', 'Warning']).describe('How severe it is: Normal or Warning.'),
    reason: matching(z.string().min(1).max(64), {
      pattern: '^[A-Z][A-Za-z0-9]*$',
      problem: 'is not a reason: write one word in PascalCase, e.g. AppUnhealthy',
      description: 'Reason of the Event: one word in PascalCase, e.g. AppUnhealthy.',
    }),
    message: z
      .string()
      .min(1)
      .max(1024)
      .describe(
        'Message of the Event: a sentence for people. May hold templates such as {{old_value}} and {{new_value}}.',
      ),
  })
  .describe('A transition of one field that makes an Event.');
export type Transition = z.infer<typeof Transition>;
