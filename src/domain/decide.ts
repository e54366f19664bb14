import { type Absorbed, absorb } from './absorb.ts';
import { type Change, changesBetween } from './diff.ts';
import { aggregate, type EventDraft } from './events.ts';
import type { Memory } from './memory.ts';
import type { Observation } from './observation.ts';
import type { Plan } from './plan.ts';
import { type Decision, judge, type SubjectView } from './rules.ts';
import { isSuspended } from './status.ts';
import { changeEvents, decisionEvent, reachabilityEvents } from './tell.ts';

/** What one observation leads to. */
export interface Turn {
  memory: Memory;
  decisions: Decision[];
}

/** The changes of each subject that has a state before and another one after. */
export type Changes = Record<string, Change[]>;

/** The pairs of states that are to be compared, by subject. */
export const changedViews = (views: SubjectView[]): SubjectView[] =>
  views.filter(
    (view) =>
      view.failure === undefined &&
      view.previous !== undefined &&
      view.state !== undefined &&
      view.previous !== view.state,
  );

/** The changes between each subject's states: what the `diff` activity computes, and what a simulation calls. */
export const changesOf = (views: SubjectView[], ignoreFields: readonly string[]): Changes =>
  Object.fromEntries(
    changedViews(views).map((view) => [
      view.subject,
      changesBetween(view.previous ?? null, view.state ?? null, ignoreFields),
    ]),
  );

/** Events that wait to be recorded; beyond it the oldest are let go. */
const maxWaiting = 500;

/** Puts Events into the outbox, joined with recent ones that say the same. */
export function withEvents(memory: Memory, drafts: EventDraft[], now: number): Memory {
  if (drafts.length === 0) return memory;
  const { recent, records } = aggregate(memory.events, drafts, now);
  const again = new Set(records.map(({ id }) => id));
  // A repeat takes the place of what waits to be recorded, so an API server that is away for long fills no memory.
  const waiting = memory.outbox.filter(({ id }) => !again.has(id));
  const last = new Map(records.map((record) => [record.id, record]));
  return { ...memory, events: recent, outbox: [...waiting, ...last.values()].slice(-maxWaiting) };
}

/**
 * The plan step: what an absorbed observation means. Pure: no clock, no randomness, nothing but its arguments, so the
 * same observations give the same decisions in a workflow, in its replay and in a simulation.
 */
export function decide(
  uid: string,
  plan: Plan,
  { memory, views, failedBefore }: Absorbed,
  changes: Changes,
  now: number,
): Turn {
  const { rules, decisions } = judge(uid, plan, memory.rules, views, now);
  const changed = views.flatMap((view) => changeEvents(plan, view, changes[view.subject] ?? []));
  const isChanged = Object.values(changes).some((found) => found.length > 0);
  const drafts = [
    ...reachabilityEvents(plan, memory, views, failedBefore),
    ...changed,
    ...decisions.map(decisionEvent),
  ];
  const next = { ...memory, rules, ...(isChanged && { lastChange: now }) };
  return { memory: withEvents(next, drafts, now), decisions };
}

/**
 * Absorb, diff and decide in one go, for a simulation that has neither a cluster nor Temporal. A TargetApp that is
 * suspended or has a spec to mend is not polled, so there is nothing to decide.
 */
export function step(uid: string, memory: Memory, observation: Observation, now: number): Turn {
  const absorbed = absorb(memory, observation, now);
  const plan = absorbed.memory.plan;
  if (plan === undefined || plan.problems.length > 0 || isSuspended(plan, memory.held, now))
    return { memory: absorbed.memory, decisions: [] };
  return decide(uid, plan, absorbed, changesOf(absorbed.views, plan.ignoreFields), now);
}
