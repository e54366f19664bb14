import type { EventDraft } from '../events.ts';
import { failureKey } from '../failure.ts';
import type { Json } from '../json.ts';
import { likeness } from '../likeness.ts';
import type { PodRef } from '../refs.ts';
import { inSeconds } from '../seconds.ts';
import type { ActionOutcome, ActionRequest, OutcomeStatus } from './action.ts';
import type { CompiledRule, CompiledSpec } from './compiled-spec.ts';
import type { EventReason } from './event-reasons.ts';
import type { SubjectView } from './findings.ts';
import type { Memory, PendingAction, Phase, SubjectMemory } from './memory.ts';
import { wholeApp } from './observation.ts';
import type { Decision } from './rules.ts';

/** A value as a person writes it: text without quotes, nothing as `(absent)`. */
export const shown = (value: Json | undefined): string =>
  value === undefined ? '(absent)' : typeof value === 'string' ? (value === '' ? '""' : value) : JSON.stringify(value);

/** A value with its type, where it is the type that matters. */
export const typed = (value: Json | undefined): string =>
  value === undefined || value === null || typeof value === 'object'
    ? shown(value)
    : `the ${typeof value === 'string' ? `text ${JSON.stringify(value)}` : `${typeof value} ${value}`}`;

export const podOf = ({ subject, name }: SubjectView): PodRef | undefined =>
  subject === wholeApp ? undefined : { uid: subject, name };

export const on = (pod: PodRef | undefined): string => (pod === undefined ? '' : ` on pod ${pod.name}`);

/** A draft without an undefined pod. */
export const draft = (fields: EventDraft): EventDraft => {
  const { pod, ...rest } = fields;
  return pod === undefined ? rest : fields;
};

/** Events for subjects that stopped or started to answer, and for a selector that matches nothing. */
export function reachabilityEvents(
  plan: CompiledSpec,
  memory: Memory,
  views: SubjectView[],
  failedBefore: Record<string, SubjectMemory['failure']>,
): EventDraft[] {
  const drafts = views.flatMap((view): EventDraft[] => {
    const before = failedBefore[view.subject];
    const pod = podOf(view);
    if (view.failure !== undefined && (before === undefined || failureKey(view.failure) !== failureKey(before)))
      return [
        draft({
          type: 'Warning',
          reason: view.failure.class,
          message: `${view.failure.message}${on(pod)}`,
          pod,
          sameAs: failureKey(view.failure),
        }),
      ];
    if (view.failure === undefined && before !== undefined)
      return [
        draft({ type: 'Normal', reason: 'Recovered', message: `answers again${on(pod)} after ${before.class}`, pod }),
      ];
    return [];
  });
  const wasEmpty = memory.conditions.SourceReachable?.reason === 'NoMatchingPods';
  if (plan.perPod && memory.matched === 0 && !wasEmpty && drafts.length === 0)
    drafts.push({
      type: 'Warning',
      reason: 'NoMatchingPods',
      message: 'no pod of this namespace matches spec.selector',
    });
  return drafts;
}

/** A rule's trigger as a person reads it. */
export function triggerText({ trigger }: CompiledRule, show = shown): string {
  const value = trigger.value === undefined ? '' : ` ${show(trigger.value)}`;
  const as = trigger.as === undefined ? '' : ` as ${trigger.as}`;
  return `${trigger.field === undefined ? '' : `${trigger.field} `}${trigger.condition}${value}${as}`;
}

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
  draft({ type: 'Normal', reason: 'TriggerRecovered', message: recoveredText(rule, pod), pod });

/** The Event of one decision. */
export function decisionEvent(decision: Decision): EventDraft {
  const { rule } = decision;
  if (decision.kind === 'fire')
    return draft({
      type: 'Normal',
      reason: 'TriggerFired',
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

const outcomeReasons: Record<OutcomeStatus, { type: EventDraft['type']; reason: EventReason }> = {
  dryRun: { type: 'Normal', reason: 'ActionDryRun' },
  failed: { type: 'Warning', reason: 'ActionFailed' },
  refused: { type: 'Warning', reason: 'ActionRefused' },
  succeeded: { type: 'Normal', reason: 'ActionSucceeded' },
  unknown: { type: 'Warning', reason: 'ActionOutcomeUnknown' },
};

/** The Event of an action's end. */
export function outcomeEvent(
  request: Pick<ActionRequest, 'rule' | 'action' | 'pods'>,
  outcome: ActionOutcome,
): EventDraft {
  const { type, reason } = outcomeReasons[outcome.status];
  const cause = outcome.status === 'succeeded' || outcome.status === 'dryRun' ? '' : ` (${outcome.reason})`;
  return draft({
    type,
    reason,
    message: `${request.rule}: ${request.action}${cause}: ${outcome.message}`,
    pod: request.pods[0],
    sameAs: `${request.rule}/${request.action}${cause}/${likeness(outcome.message)}`,
  });
}

/** The Event of an action that was decided, and whose firing is taken back because nothing of it was begun. */
export const heldBackEvent = ({ request, summary }: PendingAction, reason: string, message: string): EventDraft =>
  draft({
    type: 'Normal',
    reason: 'TriggerSuppressed',
    message: `${summary}, but it is held back (${reason}): ${message}`,
    pod: request.pods[0],
    sameAs: `${request.rule}/${reason}`,
  });

/** The Event of an action that has to wait. */
export const waitingEvent = ({ request, reason, message }: PendingAction): EventDraft =>
  draft({
    type: 'Normal',
    reason: 'ActionWaiting',
    message: `${request.rule}: ${request.action} waits (${reason}): ${message}`,
    pod: request.pods[0],
    sameAs: `${request.rule}/${reason}`,
  });

/** The Event of a change of phase; none where nothing new is said. */
export function phaseEvents({ phase: before, plan }: Pick<Memory, 'phase' | 'plan'>, after: Phase): EventDraft[] {
  if (plan === undefined) return [];
  const [problem] = plan.problems;
  if (problem !== undefined)
    return [
      {
        type: 'Warning',
        reason: 'InvalidSpec',
        message: `${problem.field}: ${problem.message}`,
        sameAs: `${problem.field}: ${problem.message}`,
      },
    ];
  if (before === after) return [];
  if (after === 'Suspended')
    return [{ type: 'Normal', reason: 'Suspended', message: 'polling and acting are suspended' }];
  const every = inSeconds(plan.intervalMs);
  if (after === 'Monitoring' && before === 'Suspended')
    return [{ type: 'Normal', reason: 'Resumed', message: `polls ${plan.endpoint} every ${every} again` }];
  if (after === 'Monitoring')
    return [{ type: 'Normal', reason: 'MonitoringStarted', message: `polls ${plan.endpoint} every ${every}` }];
  return [];
}
