import { createHash } from 'node:crypto';
import { msOf } from '../../domain/seconds.ts';
import type { CompiledAction } from '../../domain/target-app/compiled-spec.ts';
import { durationMs } from '../common/duration.ts';
import type { ExecCommandParameters, RestartPodParameters, WebhookParameters } from './action-parameters.ts';
import { actionKindOf } from './actions.ts';
import type { Recovery, Rule } from './rule.ts';
import { stateRefsOf } from './validation/rule.ts';

/** An action as a rule asks for it: of the rule itself, or of its `onRecovery`. */
export type Step = Pick<Recovery | Rule, 'action' | 'parameters' | 'retries' | 'timeout'>;

/** What the installation says of actions where a rule is silent. */
export interface ActionDefaults {
  /** Milliseconds for one attempt of an action. */
  actionTimeoutMs: number;
  /** Further attempts of an action. */
  retries: number;
}

/** What an action needs around the call itself, so that a call's own timeout ends it first and says so. */
const marginMs = 15_000;
/** How long a receiver may take to answer, and how long a webhook is tried, where neither is said. */
export const webhookDefaults = { timeoutMs: 30_000, deliverForMs: 24 * 3_600_000 };

export const optionalMs = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : durationMs(text);

/** A short hash of any JSON. */
export const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);

const callMs = ({ timeout }: ExecCommandParameters | WebhookParameters): number | undefined =>
  timeout === undefined ? undefined : msOf(timeout);

/** The limit of one attempt: the rule's own, else the installation's, but never less than the action's parameters ask for. */
function attemptMs({ action, parameters, timeout }: Step, defaults: ActionDefaults): number {
  if (timeout !== undefined) return msOf(timeout);
  if (action === 'webhook') return (callMs(parameters as WebhookParameters) ?? webhookDefaults.timeoutMs) + marginMs;
  const asked = action === 'exec_command' ? callMs(parameters as ExecCommandParameters) : undefined;
  return Math.max(defaults.actionTimeoutMs, asked === undefined ? 0 : asked + marginMs);
}

/** Restarts come one after the other, and give a pod time to start. */
function restartPlan({ startupGrace }: RestartPodParameters): Partial<CompiledAction> {
  const startupGraceMs = optionalMs(startupGrace);
  return { paced: true, ...(startupGraceMs === undefined ? {} : { startupGraceMs }) };
}

/** What goes to one receiver keeps its order, and is tried until it is taken. */
const webhookPlan = ({ url, deliverFor }: WebhookParameters): Partial<CompiledAction> => ({
  receiver: hashOf(url),
  deliverForMs: optionalMs(deliverFor) ?? webhookDefaults.deliverForMs,
});

function ownPlan({ action, parameters }: Step): Partial<CompiledAction> {
  if (action === 'restart_pod') return restartPlan(parameters as RestartPodParameters);
  return action === 'webhook' ? webhookPlan(parameters as WebhookParameters) : {};
}

/**
 * How one action is run. Its parameters stay in the TargetApp; what is told of them are limits and digests.
 *
 * @param question digest of the rule's question: the same action of another question is another action
 */
export function actionPlan(step: Step, question: string, defaults: ActionDefaults): CompiledAction {
  const { action, parameters, retries } = step;
  const kind = actionKindOf(action);
  const stateRefs = stateRefsOf(step);
  return {
    action,
    content: hashOf([question, action, parameters]),
    timeoutMs: attemptMs(step, defaults),
    retries: retries ?? defaults.retries,
    repeatable: kind.repeatable(parameters),
    onPods: kind.onPods ?? false,
    ...(stateRefs.length > 0 ? { stateRefs } : {}),
    ...ownPlan(step),
  };
}
