import { z } from 'zod';

/** A text of a status; descriptions stand in the CRD. */
export const text = (max: number, description: string) => z.string().max(max).describe(description);
export const time = (description: string) => z.string().max(40).meta({ description, format: 'date-time' });
/** Times that are identities: RFC 3339 would have to keep every digit. */
export const millis = (description: string) => z.int().min(0).meta({ description, format: 'int64' });
export const count = (description: string) => z.int().min(0).describe(description);

/** One status condition, as every Kubernetes object has them. */
const StatusCondition = z
  .object({
    type: text(316, 'Type of the condition, e.g. Ready.'),
    status: z.enum(['False', 'True', 'Unknown']).describe('Whether it is so: True, False or Unknown.'),
    reason: text(1024, 'One word in PascalCase that says why.'),
    message: text(32_768, 'A sentence for people that says why.'),
    lastTransitionTime: time('When the status last changed.'),
    observedGeneration: count('The generation of the spec that this is about.').optional(),
  })
  .describe('A condition of the object.');

const Workflow = z.object({
  id: text(1024, 'Id of the workflow in Temporal.'),
  runId: text(64, 'Id of its present run.').optional(),
  url: text(2048, 'Its page in the Temporal Web UI.').optional(),
});

/** What the status of every kind says. `conditions` and `phase` are described by the kind. */
export const resourceStatus = <Phase extends string>(words: {
  phases: readonly [Phase, ...Phase[]];
  phase: string;
  conditions: string;
  workflow: string;
}) => ({
  observedGeneration: z
    .int()
    .min(-1)
    .optional()
    .describe('The generation of the spec that this status is about; -1 before the first one was observed.'),
  revision: millis(
    'Grows with each status that is written, so that a late one never takes the place of a newer: milliseconds since 1970.',
  ).optional(),
  phase: z.enum(words.phases).optional().describe(words.phase),
  conditions: z
    .array(StatusCondition)
    .max(16)
    .optional()
    .meta({
      description: words.conditions,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
  workflow: Workflow.optional().describe(words.workflow),
});
