import { own } from '../json.ts';
import { withEvents } from '../outbox.ts';
import type { ActionOutcome } from './action.ts';
import { heldBackEvent, outcomeEvent } from './action-events.ts';
import { undone } from './firing.ts';
import {
  type FiringUndo,
  type Memory,
  newRuleMemory,
  type PendingAction,
  type RuleMemory,
  type Trouble,
} from './memory.ts';
import { withUndelivered } from './undelivered.ts';

/** What the end of an action makes of the memory. */
interface End {
  memory: Memory;
  /** Why the firing was undone, when that is news. */
  suppressed?: string;
  /** Whether the action is over, as opposed to undone. */
  isOver: boolean;
}

/** The same, and what it means for others. */
export interface Settled extends End {
  /** Whether some rule may fire now that could not before. */
  mayFire: boolean;
}

/** Whether something was held back because of what had not ended, so that the end of an action may let it fire. */
const isAnyBusy = ({ rules }: Pick<Memory, 'rules'>): boolean =>
  Object.values(rules).some(
    ({ episodes, missed }) =>
      missed !== undefined || Object.values(episodes).some(({ suppressed }) => suppressed?.includes('Busy')),
  );

/** The rules with the memory of an action's rule replaced; a rule that is no longer in the spec has none. */
function withRule(memory: Memory, { key }: PendingAction, to: (rule: RuleMemory) => RuleMemory): Memory {
  const { rules, plan: spec } = memory;
  if (!spec?.rules.some((rule) => rule.key === key)) return memory;
  return { ...memory, rules: { ...rules, [key]: to(own(rules, key) ?? newRuleMemory()) } };
}

/** Notes with the episode that fired how an action of it ended: in trouble, or no longer so. */
function withTrouble(memory: RuleMemory, { undo }: PendingAction, trouble: Trouble | undefined): RuleMemory {
  if (undo === undefined) return memory;
  const { subject, since, edge } = undo;
  const note = <T extends { trouble?: Trouble }>({ trouble: _, ...rest }: T): T =>
    ({ ...rest, ...(trouble !== undefined && { trouble }) }) as T;
  if (edge !== undefined) return note(memory);
  const episode = own(memory.episodes, subject);
  const orphans = memory.orphans?.map((orphan) =>
    orphan.subject === subject && orphan.since === since ? note(orphan) : orphan,
  );
  return {
    ...memory,
    ...(episode?.since === since && { episodes: { ...memory.episodes, [subject]: note(episode) } }),
    ...(orphans !== undefined && { orphans }),
  };
}

function ended(rule: RuleMemory, action: PendingAction, outcome: ActionOutcome, now: number): RuleMemory {
  const { output: _, undone: __, ...told } = outcome;
  const { status, reason, message } = outcome;
  const isTrouble = status !== 'succeeded' && status !== 'dryRun';
  const noted = withTrouble(rule, action, isTrouble ? { status, reason, message, at: now } : undefined);
  return { ...noted, lastOutcome: { ...told, actionId: action.request.id, at: now } };
}

/** Whether a webhook was not taken, for now or for good: a person may mend that, and send it again. */
const isLost = ({ plan }: PendingAction, { status, reason }: ActionOutcome): boolean =>
  plan.deliverForMs !== undefined && status === 'failed' && reason !== 'Deleted';

/** The memory without a firing that was provably not begun, and with the reason: told once per episode. */
function heldBack(
  memory: Memory,
  action: PendingAction & { undo: FiringUndo },
  { reason, message }: ActionOutcome,
  now: number,
): End {
  const { undo, subject } = action;
  const isTold = own(own(memory.rules, action.key)?.episodes ?? {}, subject)?.suppressed?.includes(reason) ?? false;
  const rules = withRule(memory, action, (rule) => {
    const open = undone(rule, undo);
    const episode = own(open.episodes, subject);
    const suppressed = [...new Set([...(episode?.suppressed ?? []), reason])];
    return {
      ...open,
      ...(episode !== undefined && { episodes: { ...open.episodes, [subject]: { ...episode, suppressed } } }),
      lastSuppression: { reason, message, at: now },
    };
  });
  if (isTold) return { memory: rules, isOver: false };
  const told = withEvents(rules, [heldBackEvent(action, reason, message)], now);
  return { memory: told, suppressed: reason, isOver: false };
}

/** The memory with an action's outcome remembered and told. */
function over(memory: Memory, action: PendingAction, outcome: ActionOutcome, now: number): End {
  const kept = isLost(action, outcome) ? withUndelivered(memory, action, outcome, now) : memory;
  const noted = withRule(kept, action, (rule) => ended(rule, action, outcome, now));
  return { memory: withEvents(noted, [outcomeEvent(action.request, outcome)], now), isOver: true };
}

/** Whether an action belongs to a firing that can be undone, so that the rule is judged anew. The end of an incident cannot. */
const isUndoable = (action: PendingAction): action is PendingAction & { undo: FiringUndo } => action.undo !== undefined;

/** Ends an action: its outcome is remembered and told, or its firing is undone as if it had never been. Pure. */
export function settled(memory: Memory, action: PendingAction, outcome: ActionOutcome, now: number): Settled {
  const pending = memory.pending.filter(({ request: { id } }) => id !== action.request.id);
  const left = { ...memory, pending };
  const isUndone = outcome.undone && !action.begun && isUndoable(action);
  const end = isUndone ? heldBack(left, action, outcome, now) : over(left, action, outcome, now);
  return { ...end, mayFire: !end.isOver || isAnyBusy(end.memory) };
}
