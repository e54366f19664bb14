import { ApplicationFailure, Context } from '@temporalio/activity';
import { actionKindOf } from '../../api/target-app/actions.ts';
import type { Informer } from '../../clients/kubernetes/informer/informer.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { isSelected } from '../../domain/selector.ts';
import type { ActionOutcome, ActionRequest, ActionResult } from '../../domain/target-app/action.ts';
import { isSuspended } from '../../domain/target-app/status.ts';
import { renderTemplates } from '../../domain/template.ts';
import { correlationId, type Log } from '../../telemetry/logger.ts';
import { type Action, type ActionContext, Retry, Wait } from './actions/action.ts';
import { passing } from './actions/kube-failure.ts';
import { isRunning, type PodView } from './pod-view.ts';
import type { EffectiveSpec, TargetAppReader } from './reader.ts';
import { requestedStep, type Wanted } from './requested-step.ts';
import type { SelectedPods } from './selected-pods.ts';

export interface ActionActivityOptions {
  apps: Pick<TargetAppReader, 'present'>;
  pods: Pick<Informer<PodView>, 'list'>;
  selectedPods: SelectedPods;
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

/** Whether an earlier attempt, or an earlier call of this action, may have done some of the work. */
const isRepeated = ({ begun }: ActionRequest): boolean => begun === true || Context.current().info.attempt > 1;

const refused = (reason: string, message: string): ActionOutcome => ({ status: 'refused', reason, message });

const isOutcome = (value: Wanted | ActionOutcome): value is ActionOutcome => 'status' in value;

/** How long it is waited for a suspension that the workflow has not seen yet. */
const suspendedMs = 5_000;
/** The activity of one action: checks that the TargetApp asks for it, fills in the templates, runs it, counts it. */
export function createActionActivity({ apps, pods, selectedPods, enabled, workflowUrl, log }: ActionActivityOptions) {
  const matchingPods = ({ namespace }: ActionRequest, { spec }: EffectiveSpec) =>
    pods.list(namespace).filter((pod) => isRunning(pod) && spec !== undefined && isSelected(spec.selector, pod.labels));

  /** The request with what of it the TargetApp bears out: its pods, and whether anything is done at all. */
  const checked = async (
    request: ActionRequest,
    { step, inForce, dryRun }: Wanted,
    signal: AbortSignal,
  ): Promise<ActionRequest | ActionOutcome> => {
    const { namespace, pods: named } = request;
    const { selector } = inForce.spec ?? {};
    const verified = { ...request, dryRun: request.dryRun || dryRun };
    if (!actionKindOf(step.action).readsPods || selector === undefined) return verified;
    const kept = await selectedPods({ namespace, selector, pods: named }, signal);
    if (kept.length === 0 && named.length > 0)
      return {
        status: 'refused',
        reason: 'NotSelected',
        message: `spec.selector does not select ${named.map(({ name }) => name).join(', ')} now`,
        undone: true,
      };
    return { ...verified, pods: kept };
  };

  const run = async <P>(action: Action<P>, request: ActionRequest, signal: AbortSignal): Promise<ActionOutcome> => {
    const { info } = Context.current();
    if (!enabled.has(action.name))
      return refused(
        'ActionDisabled',
        `${action.name} is switched off here; the administrator enables it with the Helm value actions.${action.name}.enabled=true (KCO_ENABLED_ACTIONS)`,
      );
    const mayBeDone = isRepeated(request);
    const wanted = await requestedStep(apps, request, mayBeDone).catch((error: unknown) => {
      throw passing(error, true, { begun: mayBeDone }) ?? error;
    });
    if (isOutcome(wanted)) return wanted;
    const { step, inForce } = wanted;
    if (isSuspended(inForce.plan, false, Date.now()))
      throw new Wait('Suspended', 'the TargetApp is suspended', suspendedMs);
    const verified = await checked(request, wanted, signal).catch((error: unknown) => {
      throw passing(error, true, { begun: mayBeDone }) ?? error;
    });
    if ('status' in verified) return verified;
    const { workflowId: id = '', runId = '' } = info.workflowExecution ?? {};
    const rendered = withText(
      renderTemplates(step.parameters as Json, variablesOf(verified, workflowUrl({ id, runId }))),
    );
    const context: ActionContext = {
      request: verified,
      signal,
      timeoutMs: info.startToCloseTimeoutMs,
      attempt: info.attempt,
      mayBeDone,
      selector: inForce.spec?.selector ?? {},
      matchingPods: () => matchingPods(verified, inForce),
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
      log.info('action finished', { ...facts, status: outcome.status, reason: outcome.reason });
      return outcome;
    } catch (error) {
      if (error instanceof Wait) {
        const { reason, message, afterMs, begun, progress } = error;
        log.info('action waiting', { ...facts, reason, message });
        return {
          status: 'waiting',
          reason,
          message,
          afterMs,
          ...((begun || isRepeated(request)) && { begun: true }),
          ...(progress !== undefined && { progress }),
        };
      }
      if (!(error instanceof Retry)) throw error;
      const { info } = Context.current();
      const isLast = info.attempt >= (info.retryPolicy?.maximumAttempts || Number.POSITIVE_INFINITY);
      if (isLast) log.warning('action finished', { ...facts, status: 'failed', reason: error.reason, error });
      else log.warning('action attempt failed, will retry', { ...facts, reason: error.reason, error });
      throw ApplicationFailure.create({
        type: error.reason,
        message: error.message,
        ...(error.afterMs !== undefined && { nextRetryDelay: Math.max(1, error.afterMs) }),
      });
    }
  };
}
