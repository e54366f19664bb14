import { z } from 'zod';
import { cel } from './cel.ts';

const labelKey = z.string().min(1).max(317);
const labelValue = z.string().max(63);
const emptyMessage = 'is empty and would match every pod of the namespace: add matchLabels, e.g. {app: my-app}';

const Requirement = z
  .strictObject({
    key: labelKey.describe('The label that is compared.'),
    operator: z
      .enum(['DoesNotExist', 'Exists', 'In', 'NotIn'])
      .describe('How it is compared: In and NotIn look at values, Exists and DoesNotExist at the key only.'),
    values: z
      .array(labelValue)
      .max(64)
      .optional()
      .describe('The values for In and NotIn; none for Exists and DoesNotExist.'),
  })
  .refine(({ operator, values }) => operator.endsWith('In') === (values?.length ?? 0) > 0, {
    error: 'In and NotIn need values, Exists and DoesNotExist take none',
  })
  .meta(
    cel({
      rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
      message: 'In and NotIn need values, Exists and DoesNotExist take none',
      messageExpression: `"operator " + self.operator + (self.operator in ['In', 'NotIn'] ? " needs values, e.g. values: [a, b]" : " takes no values: remove them")`,
    }),
  );

/** Which pods are watched, as Kubernetes writes it everywhere. Never empty. */
export const Selector = z
  .strictObject({
    matchLabels: z
      .record(labelKey, labelValue)
      .optional()
      .meta({ description: 'Labels that a pod must have, with these values.', maxProperties: 32 }),
    matchExpressions: z.array(Requirement).max(32).optional().describe('Requirements that a pod must all meet.'),
  })
  .refine(
    ({ matchLabels, matchExpressions }) => Object.keys(matchLabels ?? {}).length + (matchExpressions?.length ?? 0) > 0,
    {
      error: emptyMessage,
    },
  )
  .meta({
    description:
      "Which pods of the TargetApp's own namespace are watched. Pods that come and go are noticed at the next poll. Must not be empty.",
    'x-kubernetes-map-type': 'atomic',
    ...cel({
      rule: '(has(self.matchLabels) && self.matchLabels.size() > 0) || (has(self.matchExpressions) && self.matchExpressions.size() > 0)',
      message: emptyMessage,
    }),
  });
export type Selector = z.infer<typeof Selector>;
