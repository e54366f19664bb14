import { pathProblem } from '../../../domain/path.ts';
import type { SpecProblem } from '../../../domain/spec-problem.ts';
import { conditions } from '../../../domain/target-app/trigger-conditions.ts';
import { templateVariableNames, templateVariables } from '../../../domain/template.ts';
import { actionKindOf } from '../actions.ts';
import { type Selected, unselected } from '../query.ts';
import type { Recovery, Rule } from '../rule.ts';
import { triggerProblems } from './trigger.ts';

type Step = Pick<Recovery | Rule, 'action' | 'parameters'>;

const statePrefix = 'state.';
/** Most different variables that the templates of one rule mention. */
const maxVariables = 64;

/** The name of a rule: its own, or its action and position. */
export const ruleName = (rule: Rule, index: number): string => rule.name ?? `${rule.action}-${index}`;

/** The state paths that the templates of a rule mention, without the `state.` in front. */
export const stateRefsOf = ({ action, parameters }: Step): string[] =>
  templateVariables(actionKindOf(action).templated(parameters))
    .filter((name) => name.startsWith(statePrefix))
    .map((name) => name.slice(statePrefix.length))
    .slice(0, maxVariables);

function variableProblem(name: string, selected: Selected | undefined): string | undefined {
  if (templateVariableNames.some((known) => known === name)) return undefined;
  if (!name.startsWith(statePrefix))
    return `{{${name}}} is not a template variable: use ${templateVariableNames.join(', ')} or state.<path>`;
  const path = name.slice(statePrefix.length);
  const wrong = pathProblem(path) ?? (selected && unselected(selected, path));
  return wrong === undefined ? undefined : `{{${name}}}: ${wrong}`;
}

const problem = (field: string, message: string | undefined): SpecProblem[] =>
  message === undefined ? [] : [{ field, message }];

function parameterProblems({ action, parameters }: Step, at: string, selected: Selected | undefined): SpecProblem[] {
  const kind = actionKindOf(action);
  const variables = templateVariables(kind.templated(parameters));
  if (variables.length > maxVariables) {
    const message = `mention ${variables.length} different template variables, ${maxVariables} are the limit: use {{new_value}}, or several rules`;
    return [{ field: at, message }];
  }
  const unrendered = templateVariables(kind.literal(parameters)).map(
    (name) => `{{${name}}} stands where ${action} takes text literally: write the value itself`,
  );
  return [
    ...variables.flatMap((name) => problem(at, variableProblem(name, selected))),
    ...unrendered.map((message) => ({ field: at, message })),
    ...Object.entries(kind.problems?.(parameters) ?? {}).flatMap(([name, message]) =>
      problem(`${at}.${name}`, message),
    ),
  ];
}

const podlessProblem = ({ action, trigger: { condition } }: Rule): string | undefined =>
  condition === 'noPods' && actionKindOf(action).onPods
    ? `${action} acts on pods, and ${condition} is true when there are none: use webhook, scale_deployment or patch_resource`
    : undefined;

/** What is wrong with what a rule does when its episode is over: an edge has none, and each step has parameters. */
function recoveryProblems(
  { onRecovery = [], trigger }: Rule,
  at: string,
  selected: Selected | undefined,
): SpecProblem[] {
  const isEdge = conditions[trigger.condition].kind === 'edge';
  const message = `has no meaning for condition ${trigger.condition}, which is true for a moment only: remove it, or use a condition that holds, such as equals`;
  return [
    ...(isEdge && onRecovery.length > 0 ? [{ field: at, message }] : []),
    ...onRecovery.flatMap((step, index) => parameterProblems(step, `${at}[${index}].parameters`, selected)),
  ];
}

/**
 * What is wrong with a rule that neither its schema nor the API server can say.
 *
 * @param at where the rule stands, e.g. `spec.actions[2]`
 * @param selected what the query selects; undefined when that is not known
 */
export function ruleProblems(rule: Rule, at: string, selected: Selected | undefined): SpecProblem[] {
  const { field } = rule.trigger;
  return [
    ...triggerProblems(rule.trigger, `${at}.trigger`),
    ...problem(`${at}.action`, podlessProblem(rule)),
    ...(selected && field !== undefined ? problem(`${at}.trigger.field`, unselected(selected, field)) : []),
    ...parameterProblems(rule, `${at}.parameters`, selected),
    ...recoveryProblems(rule, `${at}.onRecovery`, selected),
  ];
}
