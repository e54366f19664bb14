import { z } from 'zod';
import { cel } from '../common/cel.ts';
import { Duration } from '../common/duration.ts';
import { matching } from '../common/matching.ts';
import { type ActionName, actionKinds, actionNames } from './actions.ts';
import { Trigger } from './trigger.ts';

const RuleName = matching(z.string().min(1).max(63), {
  pattern: '^[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?$',
  problem:
    'is not a rule name: use letters, digits, - and _, and a letter or digit at either end, e.g. restart-unhealthy',
  description:
    'Name of the rule in Events, metrics and status, unique in its TargetApp. Default: the action and its position, e.g. restart_pod-0.',
});

const MaxFirings = z
  .strictObject({
    max: z.int().min(1).max(1000).describe('How many times.'),
    per: Duration.describe('Within which span of time, e.g. 1h.'),
  })
  .describe(
    'The most often this rule may fire within a span of time; what is beyond is suppressed and said so. Default: 5 within 1h for restart_pod, else no limit.',
  );

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

// The parameters of the members are hoisted into one property of the CRD, where `kind` is free text for patch_resource.
const scaleKind = {
  rule: "self.action != 'scale_deployment' || !has(self.parameters) || !has(self.parameters.kind) || self.parameters.kind in ['Deployment', 'StatefulSet']",
  message: 'parameters.kind of scale_deployment must be Deployment or StatefulSet',
  messageExpression: `"parameters.kind: '" + self.parameters.kind + "' cannot be scaled: use Deployment or StatefulSet"`,
  fieldPath: '.parameters.kind',
};

/** Parameters that are all optional may be left out as a whole. */
const parametersOf = <Parameters extends z.ZodType>(parameters: Parameters, about: string): Parameters => {
  const mayBeAbsent = parameters.safeParse({}).success;
  return (mayBeAbsent ? (parameters as z.ZodType).prefault({}) : parameters).describe(about) as Parameters;
};

/** What is done at the end of an episode: an action without a trigger of its own. */
const recoveryWith = (action: ActionName) => {
  const { description, about, parameters } = actionKinds[action];
  const { timeout, retries } = ruleFields;
  return z.strictObject({
    action: z.literal(action).describe(description),
    parameters: parametersOf(parameters, about),
    timeout,
    retries,
  });
};

type AnyRecovery = ReturnType<typeof recoveryWith>;

/** One entry of `spec.actions[].onRecovery`. */
export const Recovery = z
  .discriminatedUnion('action', actionNames.map(recoveryWith) as [AnyRecovery, ...AnyRecovery[]])
  .meta({ description: 'An action that is done when an episode in which the rule fired is over.', ...cel(scaleKind) });
export type Recovery = z.infer<typeof Recovery>;

const onRecovery = z
  .array(Recovery)
  .max(4)
  .optional()
  .describe(
    'What to do when an episode in which the rule fired is over, at most 4 actions: its condition does not hold any more, or the pod was replaced by one for which it does not. Not for conditions about a change.',
  );

/** A rule of one kind of action. */
const ruleWith = (action: ActionName) => {
  const { description, about, parameters } = actionKinds[action];
  return z.strictObject({
    ...ruleFields,
    action: z.literal(action).describe(description),
    parameters: parametersOf(parameters, about),
    onRecovery,
  });
};

type AnyRule = ReturnType<typeof ruleWith>;

/** One entry of `spec.actions`: a trigger and the action it sets off, a union by `action`. */
export const Rule = z.discriminatedUnion('action', actionNames.map(ruleWith) as [AnyRule, ...AnyRule[]]).meta({
  description:
    'A rule: a trigger and the action it sets off. It fires once per episode, that is while its condition holds.',
  ...cel(scaleKind),
});
export type Rule = z.infer<typeof Rule>;
