import { Context } from '@temporalio/activity';
import { actionKindOf } from '../../api/target-app/actions.ts';
import type { Json } from '../../domain/json.ts';
import type { WorkflowRef } from '../../domain/refs.ts';
import type { ActionOutcome, ActionRequest } from '../../domain/target-app/action.ts';
import { refused } from '../../domain/target-app/outcomes.ts';
import { isSuspended } from '../../domain/target-app/suspension.ts';
import { rendered } from './action-variables.ts';
import { type Action, type ActionContext, Wait } from './actions/action.ts';
import { passing } from './actions/kube-failure.ts';
import type { WatchedPods } from './pod-index.ts';
import { isRunning, type PodView } from './pod-view.ts';
import type { TargetAppReader } from './reader.ts';
import { requestedStep, type Wanted } from './requested-step.ts';
import type { SelectedPods } from './selected-pods.ts';

export interface RunActionOptions {
  apps: Pick<TargetAppReader, 'present'>;
  pods: Pick<WatchedPods, 'selected'>;
  selectedPods: SelectedPods;
  enabled: ReadonlySet<string>;
  workflowUrl(workflow: WorkflowRef): string | undefined;
}

/** Runs an action as far as the TargetApp bears it out. Throws `Retry` and `Wait` as the action does, and `Wait` on its own account. */
export type RunAction = <P>(action: Action<P>, request: ActionRequest, signal: AbortSignal) => Promise<ActionOutcome>;

/** Whether an earlier attempt, or an earlier call of this action, may have done some of the work. */
export const isRepeated = ({ begun }: ActionRequest): boolean => begun === true || Context.current().info.attempt > 1;

const isOutcome = (value: Wanted | ActionRequest | ActionOutcome): value is ActionOutcome => 'status' in value;

/** How long it is waited for a suspension that the workflow has not seen yet. */
const suspendedMs = 5_000;

const disabled = (name: string): ActionOutcome =>
  refused(
    'ActionDisabled',
    `${name} is switched off here; the administrator enables it with the Helm value actions.${name}.enabled=true (KCO_ENABLED_ACTIONS)`,
  );

/** The request with what of it the TargetApp bears out: its pods, and whether anything is done at all. */
const verified = async (
  request: ActionRequest,
  { step, inForce, dryRun }: Wanted,
  selectedPods: SelectedPods,
  signal: AbortSignal,
): Promise<ActionRequest | ActionOutcome> => {
  const { namespace, pods: named } = request;
  const { selector } = inForce.spec ?? {};
  const checked = { ...request, dryRun: request.dryRun || dryRun };
  if (!actionKindOf(step.action).readsPods || selector === undefined) return checked;
  const kept = await selectedPods({ namespace, selector, pods: named }, signal);
  if (kept.length > 0 || named.length === 0) return { ...checked, pods: kept };
  const names = named.map(({ name }) => name).join(', ');
  return refused('NotSelected', `spec.selector does not select ${names} now`, { undone: true });
};

/** A read that has just failed changes nothing: where it may pass, it is waited for. */
const waited = <T>(read: Promise<T>, begun: boolean): Promise<T> =>
  read.catch((error: unknown) => {
    throw passing(error, true, { begun }) ?? error;
  });

const workflowOf = ({ workflowExecution }: Context['info']): WorkflowRef => {
  const { workflowId: id = '', runId = '' } = workflowExecution ?? {};
  return { id, runId };
};

export const createRunAction = ({ apps, pods, selectedPods, enabled, workflowUrl }: RunActionOptions): RunAction => {
  /** Those of the pods that can be acted on now. */
  const matchingPods = ({ namespace }: ActionRequest, { inForce: { spec } }: Wanted): PodView[] =>
    spec === undefined ? [] : pods.selected(namespace, spec.selector).filter(isRunning);

  return async <P>(action: Action<P>, request: ActionRequest, signal: AbortSignal) => {
    const { info } = Context.current();
    if (!enabled.has(action.name)) return disabled(action.name);
    const mayBeDone = isRepeated(request);
    const wanted = await waited(requestedStep(apps, request, mayBeDone), mayBeDone);
    if (isOutcome(wanted)) return wanted;
    const { step, inForce } = wanted;
    if (isSuspended(inForce.plan, false, Date.now()))
      throw new Wait('Suspended', 'the TargetApp is suspended', suspendedMs);
    const checked = await waited(verified(request, wanted, selectedPods, signal), mayBeDone);
    if (isOutcome(checked)) return checked;
    const context: ActionContext = {
      request: checked,
      signal,
      timeoutMs: info.startToCloseTimeoutMs,
      attempt: info.attempt,
      mayBeDone,
      selector: inForce.spec?.selector ?? {},
      matchingPods: () => matchingPods(checked, wanted),
    };
    return action.run(context, rendered(step.parameters as Json, checked, workflowUrl(workflowOf(info))) as P);
  };
};
