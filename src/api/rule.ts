import { z } from 'zod';
import { actionKinds } from './actions.ts';
import { cel } from './cel.ts';
import { Duration } from './duration.ts';
import { Trigger } from './trigger.ts';

const namePattern = '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$';
const nameHowTo =
  'a rule name has letters, digits, -, _ and . and starts and ends with a letter or digit, e.g. restart-unhealthy';

const RuleName = z
  .string()
  .min(1)
  .max(63)
  .refine((text) => new RegExp(namePattern).test(text), { error: nameHowTo })
  .meta({
    description:
      'Name of the rule in Events, metrics and status, unique in its TargetApp. Default: the action and its position, e.g. restart_pod-0.',
    ...cel({
      rule: `self.matches('${namePattern}')`,
      message: nameHowTo,
      messageExpression: `"'" + self + "': ${nameHowTo}"`,
    }),
  });

const MaxFirings = z
  .strictObject({
    max: z.int().min(1).max(1000).describe('How many times.'),
    per: Duration.describe('Within which span of time, e.g. 1h.'),
  })
  .describe('The most often this rule may fire within a span of time; what is beyond is suppressed and said so.');

const ruleFields = {
  name: RuleName.optional(),
  trigger: Trigger,
  cooldown: Duration.optional().describe(
    'At least this long between two firings of this rule (per pod where pods is each), e.g. 10m. Default: none.',
  ),
  repeatEvery: Duration.optional().describe(
    'Fire again this long after the last firing while the condition still holds, e.g. 30m. Default: once per episode.',
  ),
  maxFirings: MaxFirings.optional(),
  timeout: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe("Seconds that one attempt of the action may take. Default: the installation's (300)."),
  retries: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe('Further attempts after the first, where the action may be repeated at all. Default 3.'),
  dryRun: z.boolean().optional().describe('Decide and report, act on nothing, for this rule only. Default false.'),
};

const { exec_command, patch_resource, restart_pod, scale_deployment, webhook } = actionKinds;

// The parameters of the members are hoisted into one property of the CRD, where `kind` is free text for patch_resource.
const scaleKind = {
  rule: "self.action != 'scale_deployment' || !has(self.parameters) || !has(self.parameters.kind) || self.parameters.kind in ['Deployment', 'StatefulSet']",
  message: 'parameters.kind of scale_deployment must be Deployment or StatefulSet',
  messageExpression: `"parameters.kind: '" + self.parameters.kind + "' cannot be scaled: use Deployment or StatefulSet"`,
  fieldPath: '.parameters.kind',
};

/** One entry of `spec.actions`: a trigger and the action it sets off, a union by `action`. */
export const Rule = z
  .discriminatedUnion('action', [
    z.strictObject({
      ...ruleFields,
      action: z.literal('exec_command').describe(exec_command.description),
      parameters: exec_command.parameters.describe('What to run, and how.'),
    }),
    z.strictObject({
      ...ruleFields,
      action: z.literal('patch_resource').describe(patch_resource.description),
      parameters: patch_resource.parameters.describe('What to patch, and how.'),
    }),
    z.strictObject({
      ...ruleFields,
      action: z.literal('restart_pod').describe(restart_pod.description),
      parameters: restart_pod.parameters.prefault({}).describe('How to restart; may be left out.'),
    }),
    z.strictObject({
      ...ruleFields,
      action: z.literal('scale_deployment').describe(scale_deployment.description),
      parameters: scale_deployment.parameters.describe('What to scale, and to how many replicas.'),
    }),
    z.strictObject({
      ...ruleFields,
      action: z.literal('webhook').describe(webhook.description),
      parameters: webhook.parameters.describe('What to send, and where.'),
    }),
  ])
  .meta({
    description:
      'A rule: a trigger and the action it sets off. It fires once per episode, that is while its condition holds.',
    ...cel(scaleKind),
  });
export type Rule = z.infer<typeof Rule>;
