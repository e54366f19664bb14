import { z } from 'zod';
import { cel } from '../common/cel.ts';
import { FieldPath } from '../common/field-path.ts';
import { JsonRecord } from '../common/json-value.ts';
import { Selector } from '../common/selector.ts';
import { Endpoint, noPodsBesideUrl, Port, portBesideUrl, schemeBesideUrl } from './endpoint.ts';
import { MetricField } from './metric-field.ts';
import { Rule } from './rule.ts';
import { StateSubscription } from './state-subscription.ts';
import { TargetAppStatus } from './status.ts';
import { Transition } from './transition.ts';
import { restartEachAll, restartTriggeringBesideUrl } from './validation/restart.ts';

const uniqueNames = {
  rule: 'self.all(a, !has(a.name) || self.exists_one(b, has(b.name) && b.name == a.name))',
  // Without the name: a messageExpression that finds it costs more than the API server allows.
  message: 'two rules have the same name: give each rule its own name',
};

// What spec-problems.ts says too, where the API server cannot.
const urlRules = [
  {
    rule: "!has(self.port) || !has(self.graphqlEndpoint) || self.graphqlEndpoint.startsWith('/')",
    message: portBesideUrl,
    reason: 'FieldValueForbidden',
    fieldPath: '.port',
  },
  {
    rule: "!has(self.scheme) || !has(self.graphqlEndpoint) || !self.graphqlEndpoint.matches('^https?://')",
    message: schemeBesideUrl,
    reason: 'FieldValueForbidden',
    fieldPath: '.scheme',
  },
  {
    rule: "!has(self.actions) || !has(self.graphqlEndpoint) || self.graphqlEndpoint.startsWith('/') || self.actions.all(a, a.trigger.condition != 'noPods')",
    message: `the condition noPods ${noPodsBesideUrl}`,
    reason: 'FieldValueForbidden',
    fieldPath: '.actions',
  },
];

const isPath = "!has(self.graphqlEndpoint) || self.graphqlEndpoint.startsWith('/')";
const allPods = "has(a.parameters) && has(a.parameters.pods) && a.parameters.pods == 'all'";

/** What restart-problems.ts says too, where the API server cannot. */
const restartRules = [
  {
    rule: `(${isPath}) || !has(self.actions) || self.actions.all(a, a.action != 'restart_pod' || (${allPods}))`,
    message: `parameters.pods of restart_pod ${restartTriggeringBesideUrl}`,
    reason: 'FieldValueRequired',
    fieldPath: '.actions',
  },
  {
    rule: `!(${isPath}) || !has(self.actions) || self.actions.all(a, a.action != 'restart_pod' || !(${allPods}) || (has(a.trigger.pods) && a.trigger.pods != 'each'))`,
    message: `parameters.pods of restart_pod ${restartEachAll}`,
    reason: 'FieldValueForbidden',
    fieldPath: '.actions',
  },
];

/** What a user says about an app: where its state is, and what to do about it. */
export const TargetAppSpec = z
  .strictObject({
    selector: Selector,
    graphqlEndpoint: Endpoint,
    port: Port.optional(),
    scheme: z
      .enum(['http', 'https'])
      .optional()
      .describe(
        'How a path on a pod, or a host that comes without a scheme, is reached: http (default) or https. Refused beside a URL that has its own.',
      ),
    pollingInterval: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .describe("Seconds between two polls, 1 to 86400. Default: the installation's (30)."),
    timeout: z
      .int()
      .min(1)
      .max(86_400)
      .optional()
      .describe(
        "Seconds for one query, from connecting to the last byte. More than the polling interval is cut to the polling interval. Default: the installation's (10).",
      ),
    stateQuery: z
      .string()
      .min(1)
      .max(32_768)
      .describe(
        'A GraphQL document with exactly one query operation. Its data is the state that fields and templates refer to.',
      ),
    variables: JsonRecord.optional().describe('Variables of the query, by name without the $.'),
    stateSubscription: StateSubscription.optional().describe(
      'A GraphQL subscription: each of its messages makes a poll at once, at most one a second. Polling goes on beside it. Default: none.',
    ),
    ignoreFields: z
      .array(FieldPath)
      .max(64)
      .optional()
      .describe('Fields whose changes are not changes: dotted paths, each with everything below it.'),
    actions: z
      .array(Rule)
      .max(32)
      .optional()
      .meta({ description: 'Rules, at most 32: what to do when the state says so.', ...cel(uniqueNames) }),
    events: z
      .array(Transition)
      .max(32)
      .optional()
      .describe(
        'Transitions that are worth an Event, at most 32. Without any, every changed field makes one StateChanged Event, a Warning when the new value means trouble.',
      ),
    metrics: z.array(MetricField).max(16).optional().meta({
      description:
        'Fields of the state that the operator exports as Prometheus metrics, at most 16: dotted paths, each to a single value. A number, true (1) and false (0) are the value of operator_kco_tapp_field_value, a text of at most 64 characters is the label state of operator_kco_tapp_field_state; longer texts, lists and objects are not exported. Whoever may read the metrics of the operator can read these values. Default: none.',
      'x-kubernetes-list-type': 'set',
    }),
    suspend: z.boolean().optional().describe('Stop polling and acting, and keep what is known. Default false.'),
    suspendUntil: z.string().max(40).optional().meta({
      description: 'The same as suspend, with an end: a time such as 2026-01-31T06:00:00Z.',
      format: 'date-time',
    }),
    dryRun: z.boolean().optional().describe('Decide and report everything, act on nothing. Default false.'),
    onUnknown: z
      .enum(['keep', 'reset'])
      .optional()
      .describe(
        'What a poll without an answer does to a running for clock: keep (default) lets it run on, reset starts it again.',
      ),
  })
  .meta({ description: 'What is watched, and what to do about it.', ...cel(...urlRules, ...restartRules) });
export type TargetAppSpec = z.infer<typeof TargetAppSpec>;

/** A resource of kind TargetApp. */
export const TargetApp = z
  .looseObject({
    apiVersion: z.literal('operator.kco.local/v1alpha1'),
    kind: z.literal('TargetApp'),
    metadata: z.looseObject({
      name: z.string(),
      namespace: z.string(),
      uid: z.string(),
      generation: z.int(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
    spec: TargetAppSpec,
    // As kstatus reads it: an object that nobody has looked at yet is not up to date, but still to be observed.
    status: TargetAppStatus.default({ observedGeneration: -1 }),
  })
  .describe(
    'An application that KCO watches through its GraphQL endpoint, and acts on: one durable Temporal workflow each.',
  );
export type TargetApp = z.infer<typeof TargetApp>;
