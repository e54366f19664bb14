import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Rule } from '../api/rule.ts';
import { ruleName } from '../api/rule-problems.ts';
import { correlationId, type Log } from '../clients/log.ts';
import type { WatchCache } from '../clients/watch-cache.ts';
import type { ActionOutcome, ActionRequest, ActionResult } from '../domain/action.ts';
import { isJsonObject, type Json } from '../domain/json.ts';
import { isSelected } from '../domain/selector.ts';
import { renderTemplates } from '../domain/template.ts';
import { type Action, type ActionContext, Retry, Wait } from './actions/action.ts';
import { passing } from './actions/kube-failure.ts';
import type { Apps, SpecInForce } from './apps.ts';
import { isRunning, type PodView } from './pod-view.ts';

export interface PerformOptions {
  apps: Pick<Apps, 'ofGeneration'>;
  pods: Pick<WatchCache<PodView>, 'list'>;
  enabled: ReadonlySet<string>;
  workflowUrl(workflow: { id: string; runId: string }): string | undefined;
  log: Log;
}

/** What templates may mention of a firing. */
const variablesOf = (request: ActionRequest, workflowUrl: string | undefined): Record<string, Json> => ({
  action_id: request.id,
  field: request.field ?? null,
  namespace: request.namespace,
  new_value: request.newValue ?? null,
  old_value: request.oldValue ?? null,
  pod_name: request.pods[0]?.name ?? null,
  rule: request.rule,
  tapp_name: request.name,
  timestamp: new Date(request.at).toISOString(),
  workflow_url: workflowUrl ?? null,
  ...Object.fromEntries(Object.entries(request.values ?? {}).map(([path, value]) => [`state.${path}`, value])),
});

const asText = (value: Json): Json => (typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value));

/** Headers and arguments are text, whatever the type of the value that a template put there. */
function withText(parameters: Json): Json {
  if (!isJsonObject(parameters)) return parameters;
  const { headers, command } = parameters;
  return {
    ...parameters,
    ...(isJsonObject(headers) && {
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, asText(value)])),
    }),
    ...(Array.isArray(command) && { command: command.map(asText) }),
  };
}

const refused = (reason: string, message: string): ActionOutcome => ({ status: 'refused', reason, message });

/** The rule that the workflow says has fired, as the TargetApp itself has it: Temporal alone cannot order anything. */
function ruleOf({ spec }: SpecInForce, request: ActionRequest): Rule | ActionOutcome {
  const rule = spec?.actions?.find((candidate, index) => ruleName(candidate, index) === request.rule);
  if (rule === undefined || rule.action !== request.action)
    return refused('NotInSpec', `the TargetApp has no rule ${request.rule} that asks for ${request.action}`);
  return rule;
}

const isOutcome = (value: Rule | ActionOutcome): value is ActionOutcome => 'status' in value;

/** The activity of one action: checks that the TargetApp asks for it, fills in the templates, runs it, counts it. */
export function createPerform({ apps, pods, enabled, workflowUrl, log }: PerformOptions) {
  const matchingPods = ({ namespace }: ActionRequest, { spec }: SpecInForce) =>
    pods.list(namespace).filter((pod) => isRunning(pod) && spec !== undefined && isSelected(spec.selector, pod.labels));

  const run = async <P>(action: Action<P>, request: ActionRequest, signal: AbortSignal): Promise<ActionOutcome> => {
    const { info } = Context.current();
    if (!enabled.has(action.name))
      return refused(
        'ActionDisabled',
        `${action.name} is switched off here; the administrator enables it with the Helm value actions.${action.name}.enabled=true (KCO_ENABLED_ACTIONS)`,
      );
    const inForce = await apps.ofGeneration(request, request.generation).catch((error: unknown) => {
      throw passing(error, true, { begun: info.attempt > 1 || request.waits !== undefined }) ?? error;
    });
    if (inForce === undefined)
      return refused(
        'Superseded',
        `generation ${request.generation} of the TargetApp is no longer in force, so its rules are not carried out`,
      );
    const rule = ruleOf(inForce, request);
    if (isOutcome(rule)) return rule;
    const { workflowId: id = '', runId = '' } = info.workflowExecution ?? {};
    const rendered = withText(
      renderTemplates(rule.parameters as Json, variablesOf(request, workflowUrl({ id, runId }))),
    );
    const context: ActionContext = {
      request,
      signal,
      timeoutMs: info.startToCloseTimeoutMs,
      attempt: info.attempt,
      mayBeDone: info.attempt > 1 || request.waits !== undefined,
      selector: inForce.spec?.selector ?? {},
      matchingPods: () => matchingPods(request, inForce),
    };
    return action.run(context, rendered as P);
  };

  /** One attempt. Throws only what Temporal is to retry. */
  return async <P>(action: Action<P>, request: ActionRequest, signal: AbortSignal): Promise<ActionResult> => {
    const facts = {
      namespace: request.namespace,
      tapp: request.name,
      action: request.action,
      old_state: request.oldValue,
      new_state: request.newValue,
      action_id: request.id,
      correlation_id: correlationId(Context.current().info.workflowExecution?.runId ?? '', request.id),
    };
    try {
      const outcome = await run(action, request, signal);
      log.info('action ended', { ...facts, status: outcome.status, reason: outcome.reason });
      return outcome;
    } catch (error) {
      if (error instanceof Wait) {
        const { reason, message, afterMs, begun, progress } = error;
        log.info('action waits', { ...facts, reason, message });
        return {
          status: 'waiting',
          reason,
          message,
          afterMs,
          ...(begun && { begun }),
          ...(progress !== undefined && { progress }),
        };
      }
      if (!(error instanceof Retry)) throw error;
      const { info } = Context.current();
      const isLast = info.attempt >= (info.retryPolicy?.maximumAttempts || Number.POSITIVE_INFINITY);
      if (isLast) log.warning('action ended', { ...facts, status: 'failed', reason: error.reason, error });
      else log.warning('action to be tried again', { ...facts, reason: error.reason, error });
      throw ApplicationFailure.create({
        type: error.reason,
        message: error.message,
        ...(error.afterMs !== undefined && { nextRetryDelay: Math.max(1, error.afterMs) }),
      });
    }
  };
}
