import { stepsOf } from '../../../domain/pattern/pattern.ts';
import type { SpecProblem } from '../../../domain/spec-problem.ts';
import { templateVariables } from '../../../domain/template.ts';
import { toldProblems } from '../../common/shown-problems.ts';
import { noPodsBesideUrl, portBesideUrl, schemeBesideUrl } from '../endpoint.ts';
import { checkQuery, type Selected, subscriptionProblem, unselected } from '../query.ts';
import type { TargetAppSpec } from '../schema.ts';
import type { Transition } from '../transition.ts';
import { metricProblems } from './metric.ts';
import { restartProblems } from './restart.ts';
import { ruleName, ruleProblems } from './rule.ts';

/** What the message of an Event can mention: there is no rule and no action to speak of. */
const eventVariables = ['field', 'new_value', 'old_value', 'pod_name'];

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Epoch milliseconds of an RFC 3339 time; undefined for a text that is none. */
export function timeOf(text: string | undefined): number | undefined {
  const time = text !== undefined && rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function timeProblems({ suspendUntil }: TargetAppSpec): SpecProblem[] {
  if (suspendUntil === undefined || timeOf(suspendUntil) !== undefined) return [];
  const message = `${JSON.stringify(suspendUntil)} is not a time: write e.g. 2026-01-31T06:00:00Z`;
  return [{ field: 'spec.suspendUntil', message }];
}

/** What stands beside a URL and would be passed over. */
function endpointProblems({ graphqlEndpoint, port, scheme }: TargetAppSpec): SpecProblem[] {
  return [
    ...(port === undefined || graphqlEndpoint.startsWith('/')
      ? []
      : [{ field: 'spec.port', message: `${JSON.stringify(port)} ${portBesideUrl}` }]),
    ...(scheme === undefined || !/^https?:\/\//.test(graphqlEndpoint)
      ? []
      : [{ field: 'spec.scheme', message: `${JSON.stringify(scheme)} ${schemeBesideUrl}` }]),
  ];
}

/** Conditions about pods, where nobody asks a pod. */
function podsProblems({ graphqlEndpoint, actions = [] }: TargetAppSpec): SpecProblem[] {
  if (graphqlEndpoint.startsWith('/')) return [];
  return actions.flatMap(({ trigger: { condition } }, index) =>
    condition === 'noPods'
      ? [{ field: `spec.actions[${index}].trigger.condition`, message: `noPods ${noPodsBesideUrl}` }]
      : [],
  );
}

function nameProblems(rules: TargetAppSpec['actions'] = []): SpecProblem[] {
  const names = rules.map(ruleName);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (first === index) return [];
    return [
      {
        field: `spec.actions[${index}].name`,
        message: `${JSON.stringify(name)} is the name of spec.actions[${first}] too: give each rule its own name`,
      },
    ];
  });
}

/** Most steps for each character of what an app says, of all rules together: they are taken in the thread of all TargetApps. */
const maxPatternSteps = 512;

function patternProblems(rules: TargetAppSpec['actions'] = []): SpecProblem[] {
  const steps = rules.reduce(
    (sum, { trigger: { condition, value } }) =>
      condition === 'matches' && typeof value === 'string' ? sum + stepsOf(value) : sum,
    0,
  );
  if (steps <= maxPatternSteps) return [];
  const limit = `${maxPatternSteps} are the limit for all rules together`;
  const message = `have regular expressions that take ${steps} steps for each character of a text, ${limit}: use equals, in or contains where they will do`;
  return [{ field: 'spec.actions', message }];
}

function transitionProblems({ field, message }: Transition, at: string, selected: Selected | undefined): SpecProblem[] {
  const wrong = selected && unselected(selected, field);
  const unknown = templateVariables(message).filter((name) => !eventVariables.includes(name));
  return [
    ...(wrong === undefined ? [] : [{ field: `${at}.field`, message: wrong }]),
    ...unknown.map((name) => ({
      field: `${at}.message`,
      message: `{{${name}}} is not a template variable of an Event: use ${eventVariables.join(', ')}`,
    })),
  ];
}

function ignoreProblems(fields: readonly string[], selected: Selected): SpecProblem[] {
  return fields.flatMap((field, index) => {
    const message = unselected(selected, field);
    return message === undefined ? [] : [{ field: `spec.ignoreFields[${index}]`, message }];
  });
}

function subscriptionProblems({ stateSubscription }: TargetAppSpec): SpecProblem[] {
  if (stateSubscription === undefined) return [];
  const message = subscriptionProblem(stateSubscription.query, stateSubscription.variables);
  return message === undefined ? [] : [{ field: 'spec.stateSubscription.query', message }];
}

/** What is wrong with a spec that neither its schema nor the API server can say. */
export function specProblems(spec: TargetAppSpec): SpecProblem[] {
  const { actions = [], events = [], graphqlEndpoint, ignoreFields = [], stateQuery, variables } = spec;
  const query = checkQuery(stateQuery, variables);
  const selected = 'selected' in query ? query.selected : undefined;
  return toldProblems([
    ...('problem' in query ? [{ field: 'spec.stateQuery', message: query.problem }] : []),
    ...subscriptionProblems(spec),
    ...endpointProblems(spec),
    ...timeProblems(spec),
    ...podsProblems(spec),
    ...nameProblems(actions),
    ...patternProblems(actions),
    ...actions.flatMap((rule, index) =>
      restartProblems(rule, `spec.actions[${index}]`, graphqlEndpoint.startsWith('/')),
    ),
    ...actions.flatMap((rule, index) => ruleProblems(rule, `spec.actions[${index}]`, selected)),
    ...events.flatMap((entry, index) => transitionProblems(entry, `spec.events[${index}]`, selected)),
    ...(selected ? ignoreProblems(ignoreFields, selected) : []),
    ...metricProblems(spec, selected),
  ]);
}
