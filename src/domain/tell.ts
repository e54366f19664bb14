import type { ActionOutcome, ActionRequest, OutcomeStatus, PodRef } from './action.ts';
import { brief, type Change, type Changes, comparable, type Difference, equal } from './diff.ts';
import type { EventDraft, EventReason } from './events.ts';
import type { SubjectView } from './findings.ts';
import { type Json, own } from './json.ts';
import { isWord, likeness, withoutStamps } from './likeness.ts';
import type { Memory, PendingAction, Phase, SubjectMemory } from './memory.ts';
import { failureKey, wholeApp } from './observation.ts';
import type { Plan, RulePlan, TransitionPlan } from './plan.ts';
import type { Decision } from './rules.ts';
import { renderTemplates } from './template.ts';
import { transitionsAt } from './transitions.ts';

/** Changes of one subject that are told one by one; the rest is told as a number. */
const maxTold = 10;

/** A value as a person writes it: text without quotes, nothing as `(absent)`. */
export const shown = (value: Json | undefined): string =>
  value === undefined ? '(absent)' : typeof value === 'string' ? (value === '' ? '""' : value) : JSON.stringify(value);

/** A value with its type, where it is the type that matters. */
export const typed = (value: Json | undefined): string =>
  value === undefined || value === null || typeof value === 'object'
    ? shown(value)
    : `the ${typeof value === 'string' ? `text ${JSON.stringify(value)}` : `${typeof value} ${value}`}`;

const podOf = ({ subject, name }: SubjectView): PodRef | undefined =>
  subject === wholeApp ? undefined : { uid: subject, name };

const on = (pod: PodRef | undefined): string => (pod === undefined ? '' : ` on pod ${pod.name}`);

/** A draft without an undefined pod. */
const draft = (fields: EventDraft): EventDraft => {
  const { pod, ...rest } = fields;
  return pod === undefined ? rest : fields;
};

/**
 * What makes two changes the same Event: the field, and the value that it has now where that is one of few. A time, a
 * counter or a sentence is another one at every poll, so it makes one Event that counts and says the latest.
 */
function identityOf({ path, after }: Change): string {
  const value = after === undefined ? 'absent' : JSON.stringify(after);
  return `${withoutStamps(path)}/${isWord(after) ? value : '*'}`;
}

const isTransition = (wanted: TransitionPlan, change: Change): boolean =>
  (wanted.from === undefined || equal(wanted.from, change.before)) &&
  (wanted.to === undefined || equal(wanted.to, change.after));

function transitionEvent(wanted: TransitionPlan, change: Change, view: SubjectView): EventDraft {
  const variables = {
    field: change.path,
    old_value: brief(change.before) ?? null,
    new_value: brief(change.after) ?? null,
    pod_name: view.name,
  };
  return draft({
    type: wanted.type,
    reason: wanted.reason,
    message: shown(renderTemplates(wanted.message, variables)),
    pod: podOf(view),
    change: true,
    sameAs: `${identityOf(change)}/${wanted.message}`,
  });
}

/** The Events that `spec.events` names: judged on the states themselves, so nothing that was cut off is missed. */
function transitionEvents(plan: Plan, view: SubjectView): EventDraft[] {
  const { failure, previous, state } = view;
  if (failure !== undefined || previous === undefined || state === undefined || previous === state) return [];
  const before = comparable(previous, plan.ignoreFields, []);
  const after = comparable(state, plan.ignoreFields, []);
  return plan.events.flatMap((wanted) =>
    transitionsAt(wanted.field, before, after)
      .filter((change) => isTransition(wanted, change))
      .map((change) => transitionEvent(wanted, change, view)),
  );
}

function stateChanged(change: Change, view: SubjectView): EventDraft {
  const pod = podOf(view);
  return draft({
    type: change.trouble ? 'Warning' : 'Normal',
    reason: 'StateChanged' satisfies EventReason,
    message: `${change.path} changed from ${shown(change.before)} to ${shown(change.after)}${on(pod)}`,
    pod,
    change: true,
    sameAs: identityOf(change),
  });
}

/** One Event per field; those that mean trouble come first. */
function stateEvents(view: SubjectView, { changes, more = 0 }: Difference): EventDraft[] {
  const told = changes.slice(0, maxTold).map((change) => stateChanged(change, view));
  const rest = changes.length + more - told.length;
  if (rest <= 0) return told;
  const isWorse = changes.slice(maxTold).some(({ trouble }) => trouble);
  const pod = podOf(view);
  return [
    ...told,
    draft({
      type: isWorse ? 'Warning' : 'Normal',
      reason: 'StateChanged' satisfies EventReason,
      message: `${rest} more fields changed${on(pod)}`,
      pod,
      change: true,
      sameAs: 'more',
    }),
  ];
}

/** The Events that changes are worth: those that `spec.events` names, or without any, one per field. */
export const changeEvents = (plan: Plan, views: SubjectView[], changes: Changes): EventDraft[] =>
  views.flatMap((view) => {
    if (plan.events.length > 0) return transitionEvents(plan, view);
    const difference = own(changes, view.subject);
    return difference === undefined ? [] : stateEvents(view, difference);
  });

/** Events for subjects that stopped or started to answer, and for a selector that matches nothing. */
export function reachabilityEvents(
  plan: Plan,
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
export function triggerText({ trigger }: RulePlan, show = shown): string {
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
export const firedText = (rule: RulePlan, request: { pods: PodRef[]; dryRun: boolean }): string =>
  `${rule.name}: ${triggerText(rule)}${podsText(request.pods)}, so ${request.dryRun ? 'would ' : ''}${rule.action}`;

/** The end of an incident as a person reads it: Event message, and summary of the activity in the Web UI. */
export const recoveredText = (
  rule: RulePlan,
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

/** The Event of a status that the API server refuses for good. */
export const statusRefusedEvent = (why: string): EventDraft => ({
  type: 'Warning',
  reason: 'StatusRefused' satisfies EventReason,
  message: `the status is not up to date, because the API server refuses it: ${why}`,
  sameAs: 'status',
});

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
export function phaseEvents(before: Phase | undefined, after: Phase, plan: Plan): EventDraft[] {
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
  const every = `${Math.round(plan.intervalMs / 1000)} s`;
  if (after === 'Monitoring' && before === 'Suspended')
    return [{ type: 'Normal', reason: 'Resumed', message: `polls ${plan.endpoint} every ${every} again` }];
  if (after === 'Monitoring')
    return [{ type: 'Normal', reason: 'MonitoringStarted', message: `polls ${plan.endpoint} every ${every}` }];
  return [];
}
