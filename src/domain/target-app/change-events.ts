import { brief, type Change, type Changes, comparable, type Difference, equal } from '../diff.ts';
import type { EventDraft } from '../events.ts';
import { own } from '../json.ts';
import { isWord, withoutStamps } from '../likeness.ts';
import { renderTemplates } from '../template.ts';
import { transitionsAt } from '../transitions.ts';
import type { CompiledSpec, CompiledTransition } from './compiled-spec.ts';
import type { EventReason } from './event-reasons.ts';
import { draft, on, shown } from './event-text.ts';
import { podOf, type SubjectView } from './findings.ts';

/** Changes of one subject that are told one by one; the rest is told as a number. */
const maxTold = 10;

/**
 * What makes two changes the same Event: the field, and the value that it has now where that is one of few. A time, a
 * counter or a sentence is another one at every poll, so it makes one Event that counts and says the latest.
 */
function identityOf({ path, after }: Change): string {
  const value = after === undefined ? 'absent' : JSON.stringify(after);
  return `${withoutStamps(path)}/${isWord(after) ? value : '*'}`;
}

const isTransition = (wanted: CompiledTransition, change: Change): boolean =>
  (wanted.from === undefined || equal(wanted.from, change.before)) &&
  (wanted.to === undefined || equal(wanted.to, change.after));

function transitionEvent(wanted: CompiledTransition, change: Change, view: SubjectView): EventDraft {
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
function transitionEvents(spec: CompiledSpec, view: SubjectView): EventDraft[] {
  const { failure, previous, state } = view;
  if (failure !== undefined || previous === undefined || state === undefined || previous === state) return [];
  const before = comparable(previous, spec.ignoreFields, []);
  const after = comparable(state, spec.ignoreFields, []);
  return spec.events.flatMap((wanted) =>
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
export const changeEvents = (spec: CompiledSpec, views: SubjectView[], changes: Changes): EventDraft[] =>
  views.flatMap((view) => {
    if (spec.events.length > 0) return transitionEvents(spec, view);
    const difference = own(changes, view.subject);
    return difference === undefined ? [] : stateEvents(view, difference);
  });
