import { z } from 'zod';
import type { Quorum } from '../../domain/target-app/compiled-spec.ts';
import { type Condition, type ConditionName, conditions } from '../../domain/target-app/trigger-conditions.ts';
import { cel, celField, celList } from '../common/cel.ts';
import { Duration } from '../common/duration.ts';
import { FieldPath } from '../common/field-path.ts';
import { JsonValue } from '../common/json-value.ts';
import { numberOrMatching } from '../common/matching.ts';

const namesWhere = (accept: (condition: Condition) => boolean): ConditionName[] =>
  (Object.keys(conditions) as ConditionName[]).filter((name) => accept(conditions[name]));

const edges = namesWhere(({ kind }) => kind === 'edge');
const withoutField = namesWhere(({ kind }) => kind === 'absence');
/** Conditions that compare one value with another one, which may be numbers. */
export const comparing = [
  'changed_from',
  'changed_to',
  'decreased',
  'equals',
  'greater_or_equal',
  'greater_than',
  'in',
  'increased',
  'less_or_equal',
  'less_than',
  'not_equals',
  'not_in',
] as const satisfies ConditionName[];
const withoutPods = namesWhere((condition) => condition.kind === 'absence' && condition.of === 'noPods');

/** How many pods must satisfy the condition. */
export const TriggerPods = numberOrMatching(100_000, 8, {
  pattern: '^(all|any|each|([1-9]|[1-9][0-9]|100)%)$',
  problem: 'is not a number of pods: use each, any, all, a percentage such as 50%, or a number of pods such as 2',
  description:
    'How many of the watched pods must satisfy the condition: each (default: the rule lives once per pod), any, all, a percentage such as 50%, or a number of pods such as 2.',
});
export type TriggerPods = z.infer<typeof TriggerPods>;

/** The quorum that `trigger.pods` means. */
export function quorumOf(pods: TriggerPods = 'each'): Quorum {
  if (typeof pods === 'number') return { count: pods };
  return pods === 'each' || pods === 'any' || pods === 'all' ? pods : { percent: Number.parseInt(pods, 10) };
}

const fieldRule = cel(
  {
    rule: `self.condition in ${celList(withoutField)} || has(self.field)`,
    message: 'trigger.field is required for this condition',
    messageExpression: `"trigger.field is required for condition " + self.condition + ": name what it looks at, e.g. application.health"`,
  },
  {
    rule: `!(self.condition in ${celList(withoutField)}) || !has(self.field)`,
    message: 'trigger.field has no meaning for this condition: remove it',
    messageExpression: `"trigger.field has no meaning for condition " + self.condition + ", which is about no field: remove it"`,
    fieldPath: '.field',
  },
  {
    rule: `!has(self.${celField('as')}) || self.condition in ${celList(comparing)}`,
    message: 'trigger.as has no meaning for this condition: remove it',
    messageExpression: `"trigger.as has no meaning for condition " + self.condition + ", which compares no numbers: remove it"`,
    fieldPath: '.as',
  },
  {
    rule: `!(self.condition in ${celList(withoutPods)}) || !has(self.pods)`,
    message: 'trigger.pods has no meaning for this condition: remove it',
    messageExpression: `"trigger.pods has no meaning for condition " + self.condition + ", which is about there being none: remove it"`,
    fieldPath: '.pods',
  },
  {
    rule: `!(self.condition in ${celList(edges)}) || !has(self.__for__)`,
    message: 'trigger.for has no meaning for this condition: remove it',
    messageExpression: `"trigger.for has no meaning for condition " + self.condition + ", which is true for a moment only: remove it, or use a condition that holds, such as equals"`,
    fieldPath: '.for',
  },
);

// CEL cannot see the value, because it has no type. This makes the API server say `trigger.value: Required value`.
const valueRule = {
  anyOf: [
    { required: ['value'] },
    { not: { properties: { condition: { enum: namesWhere(({ value }) => value !== 'none') } } } },
  ],
};

/** When a rule fires. What a condition needs of `field`, `value` and `for` is checked by CEL and, for `value`, by planOf. */
export const Trigger = z
  .strictObject({
    field: FieldPath.optional(),
    condition: z
      .enum(Object.keys(conditions) as [ConditionName, ...ConditionName[]])
      .describe(
        'How the field is judged. Of one state: equals, not_equals, greater_than, greater_or_equal, less_than, less_or_equal, contains, not_contains, in, not_in, matches (a regular expression), exists, not_exists. Against the previous state of the same pod: changed, changed_to, changed_from, increased, decreased. Without a field: unreachable, the app gives no usable answer; failing, it answers, and not with a state (an error, say); noPods, no pod matches or none of them runs. Numbers compare as numbers, never as text; an absent field, a null and an empty string are three different things.',
      ),
    value: JsonValue.optional().describe(
      'What the field is compared with: any JSON, null included. A list for in and not_in, a number for greater_than and its like, for matches a regular expression of at most 256 characters (that of JavaScript, without back-references and look-around; (?i) in front ignores case); none for exists, not_exists, changed, increased, decreased, failing, noPods and unreachable. Client-side kubectl apply drops a null from what it sends: write in with [null] instead of equals with null, or use kubectl apply --server-side.',
    ),
    as: z
      .literal('number')
      .optional()
      .describe(
        'number: a text that is a decimal number, such as "359606", counts as that number, and is compared exactly however large it is. Many servers send 64-bit numbers as text. The value may be such a text as well. Default: text is text, and is never compared with numbers.',
      ),
    for: Duration.optional().describe(
      'How long the condition must hold, across polls and restarts, before the rule fires, e.g. 60s. Not for conditions about a change.',
    ),
    pods: TriggerPods.optional(),
  })
  .meta({ description: 'When the rule fires.', ...valueRule, ...fieldRule });
export type Trigger = z.infer<typeof Trigger>;
