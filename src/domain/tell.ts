import type { ActionOutcome, ActionRequest, OutcomeStatus, PodRef } from './action.ts';
import { type Change, equal } from './diff.ts';
import type { EventDraft, EventReason } from './events.ts';
import type { Json } from './json.ts';
import type { Memory, Phase, SubjectMemory } from './memory.ts';
import { wholeApp } from './observation.ts';
import { isSamePath } from './path.ts';
import type { Plan, RulePlan, TransitionPlan } from './plan.ts';
import type { Decision, SubjectView } from './rules.ts';
import { renderTemplates } from './template.ts';

/** Changes of one subject that are told one by one; the rest is told as a number. */
const maxTold = 10;

/** Words that mean trouble wherever they stand in a value, be it a sentence or DATABASE_DOWN. */
const trouble =
  /(?<![a-z])(critical|crashed|degraded|down|error|failed|failing|failure|fatal|offline|unavailable|unhealthy)(?![a-z])/i;

const meansTrouble = (value: Json | undefined): boolean => typeof value === 'string' && trouble.test(value);

/** A value as a person writes it: text without quotes, nothing as `(absent)`. */
export const shown = (value: Json | undefined): string =>
  value === undefined ? '(absent)' : typeof value === 'string' ? (value === '' ? '""' : value) : JSON.stringify(value);

/** A value with its type, where it is the type that matters. */
const typed = (value: Json | undefined): string =>
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

const isTransition = (wanted: TransitionPlan, change: Change): boolean =>
  isSamePath(wanted.field, change.path) &&
  (wanted.from === undefined || equal(wanted.from, change.before)) &&
  (wanted.to === undefined || equal(wanted.to, change.after));

function transitionEvent(wanted: TransitionPlan, change: Change, view: SubjectView): EventDraft {
  const variables = {
    field: change.path,
    old_value: change.before ?? null,
    new_value: change.after ?? null,
    pod_name: view.name,
  };
  return draft({
    type: wanted.type,
    reason: wanted.reason,
    message: shown(renderTemplates(wanted.message, variables)),
    pod: podOf(view),
  });
}

function stateChanged(change: Change, view: SubjectView): EventDraft {
  const pod = podOf(view);
  const message = `${change.path} changed from ${shown(change.before)} to ${shown(change.after)}${on(pod)}`;
  const isNumber = typeof change.before === 'number' && typeof change.after === 'number';
  return draft({
    type: meansTrouble(change.after) ? 'Warning' : 'Normal',
    reason: 'StateChanged' satisfies EventReason,
    message,
    pod,
    // A counter says something else at every poll: one Event with the latest values, not one per value.
    ...(isNumber && { sameAs: change.path }),
  });
}

/** The Events that a subject's changes are worth: those that `spec.events` names, or without any, one per field. */
export function changeEvents(plan: Plan, view: SubjectView, changes: Change[]): EventDraft[] {
  if (plan.events.length > 0)
    return plan.events.flatMap((wanted) =>
      changes.filter((change) => isTransition(wanted, change)).map((change) => transitionEvent(wanted, change, view)),
    );
  const told = changes.slice(0, maxTold).map((change) => stateChanged(change, view));
  const rest = changes.length - maxTold;
  if (rest <= 0) return told;
  const pod = podOf(view);
  return [
    ...told,
    draft({
      type: 'Normal',
      reason: 'StateChanged',
      message: `${rest} more fields changed${on(pod)}`,
      pod,
      sameAs: 'more',
    }),
  ];
}

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
    if (view.failure !== undefined && view.failure.class !== before?.class)
      return [
        draft({ type: 'Warning', reason: view.failure.class, message: `${view.failure.message}${on(pod)}`, pod }),
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
  return `${trigger.field === undefined ? '' : `${trigger.field} `}${trigger.condition}${value}`;
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

/** The Event of one decision. */
export function decisionEvent(decision: Decision): EventDraft {
  const { rule } = decision;
  if (decision.kind === 'fire')
    return draft({
      type: 'Normal',
      reason: 'TriggerFired',
      message: firedText(rule, decision.request),
      pod: decision.request.pods[0],
    });
  if (decision.kind === 'suppress')
    return draft({
      type: 'Normal',
      reason: 'TriggerSuppressed',
      message: `${rule.name}: ${triggerText(rule)}${on(decision.pod)}, but ${rule.action} is held back (${decision.reason}): ${decision.message}`,
      pod: decision.pod,
      sameAs: `${rule.name}/${decision.reason}`,
    });
  return draft({
    type: 'Warning',
    reason: 'TriggerTypeMismatch',
    message: `${rule.name}: cannot tell whether ${triggerText(rule, typed)}, because the value is ${typed(decision.value)}`,
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
  });
}

/** The Event of a change of phase; none where nothing new is said. */
export function phaseEvents(before: Phase | undefined, after: Phase, plan: Plan): EventDraft[] {
  const [problem] = plan.problems;
  if (problem !== undefined)
    return [{ type: 'Warning', reason: 'InvalidSpec', message: `${problem.field}: ${problem.message}` }];
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
