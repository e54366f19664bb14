import type { EventDraft } from '../events.ts';
import type { PodRef } from '../refs.ts';
import type { CompiledRule } from './compiled-spec.ts';
import { draft, on, triggerText } from './event-text.ts';
import type { Decision } from './rules.ts';

const podsText = (pods: PodRef[]): string =>
  pods.length === 0
    ? ''
    : ` on pod${pods.length > 1 ? 's' : ''} ${pods
        .slice(0, 5)
        .map(({ name }) => name)
        .join(', ')}${pods.length > 5 ? ', …' : ''}`;

/** One sentence that says what fires and why: Event message, and summary of the activity in the Web UI. */
export const firedText = (rule: CompiledRule, request: { pods: PodRef[]; dryRun: boolean }): string =>
  `${rule.name}: ${triggerText(rule)}${podsText(request.pods)}, so ${request.dryRun ? 'would ' : ''}${rule.action}`;

/** The end of an incident as a person reads it: Event message, and summary of the activity in the Web UI. */
export const recoveredText = (
  rule: CompiledRule,
  pod: PodRef | undefined,
  step?: { action: string; dryRun: boolean },
): string =>
  `${rule.name}: ${triggerText(rule)}${on(pod)} is over${step === undefined ? '' : `, so ${step.dryRun ? 'would ' : ''}${step.action}`}`;

const recoveryEvent = ({ rule, pod }: Extract<Decision, { kind: 'recover' }>): EventDraft =>
  draft({ type: 'Normal', reason: 'TriggerRecovered', spared: true, message: recoveredText(rule, pod), pod });

/** The Event of one decision. */
export function decisionEvent(decision: Decision): EventDraft {
  const { rule } = decision;
  if (decision.kind === 'fire')
    return draft({
      type: 'Normal',
      reason: 'TriggerFired',
      spared: true,
      message: firedText(rule, decision.request),
      pod: decision.request.pods[0],
      sameAs: firedText(rule, decision.request),
    });
  if (decision.kind === 'suppress')
    return draft({
      type: 'Normal',
      reason: 'TriggerSuppressed',
      message: `${rule.name}: ${triggerText(rule)}${on(decision.pod)}, but ${rule.action} is held back (${decision.reason}): ${decision.message}`,
      pod: decision.pod,
      sameAs: `${rule.name}/${decision.reason}`,
    });
  if (decision.kind === 'recover') return recoveryEvent(decision);
  return draft({
    type: 'Warning',
    reason: 'TriggerTypeMismatch',
    message: `${rule.name}: ${decision.message}`,
    pod: decision.pod,
    sameAs: rule.name,
  });
}
