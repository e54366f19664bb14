import type { ActionName } from '../../src/api/target-app/actions.ts';
import type { Cell, Point } from './cells.ts';
import type { Effect } from './ledger.ts';

/** What was told of an action that was decided once. */
export interface ToldOf {
  /** How often its Events TriggerFired were recorded. */
  fired: number;
  /** The reasons of the Events of its outcome, each as often as it was recorded. */
  outcomes: string[];
  /** What the status says of its outcome. */
  status: string | undefined;
}

/** What a kill has cost. */
export interface Verdict {
  lost: string[];
  doubled: string[];
}

/** Whether an action is done again, after the kill, where nobody knows whether it was done. */
const isRepeated: Record<ActionName, boolean> = {
  exec_command: false,
  patch_resource: true,
  restart_pod: true,
  scale_deployment: true,
  webhook: true,
};

/** Points at which an attempt is under way of which nobody knows what came of it. */
const isOpenAt: Record<Point, boolean> = {
  decided: false,
  'before the call': true,
  sent: true,
  answered: true,
  reported: false,
  between: true,
};

/** How often a webhook may have been delivered, always under one key. */
const deliveriesAt: Record<Point, number> = {
  decided: 1,
  'before the call': 1,
  sent: 2,
  answered: 2,
  reported: 1,
  between: 2,
};

const statusOf: Record<string, string> = { ActionSucceeded: 'succeeded', ActionOutcomeUnknown: 'unknown' };

/** What was lost, of the effect and of what is said of it. */
function lostOf({ action, point }: Cell, effects: Effect[], { fired, outcomes, status }: ToldOf): string[] {
  const lost: string[] = [];
  const mayBeUnknown = !isRepeated[action] && isOpenAt[point];
  const isUnknown = outcomes.includes('ActionOutcomeUnknown');
  if (effects.length === 0 && !(mayBeUnknown && isUnknown)) lost.push('it was not done');
  if (fired === 0) lost.push('no Event says that the rule fired');
  if (outcomes.length === 0) lost.push('no Event says what came of it');
  const allowed = mayBeUnknown ? ['ActionSucceeded', 'ActionOutcomeUnknown'] : ['ActionSucceeded'];
  for (const outcome of outcomes) if (!allowed.includes(outcome)) lost.push(`it ended as ${outcome}`);
  if (status === undefined || !outcomes.some((outcome) => statusOf[outcome] === status))
    lost.push(`the status says ${status ?? 'nothing'} of it`);
  return lost;
}

/** What was done, or said, more often than is promised. */
function doubledOf({ action, point }: Cell, effects: Effect[], { fired, outcomes }: ToldOf): string[] {
  const doubled: string[] = [];
  const different = new Set(effects.map(({ key }) => key)).size;
  if (different > 1) doubled.push(`it was done ${different} times`);
  if (action === 'webhook' && effects.length > deliveriesAt[point])
    doubled.push(`it was delivered ${effects.length} times`);
  if (fired > 1) doubled.push(`${fired} Events say that the rule fired`);
  if (outcomes.length > 1) doubled.push(`Events say ${outcomes.join(', ')}`);
  return doubled;
}

/** Judges one action that was decided once and whose operator was killed once, by the promises of docs/actions.md. */
export const verdictOf = (cell: Cell, effects: Effect[], told: ToldOf): Verdict => ({
  lost: lostOf(cell, effects, told),
  doubled: doubledOf(cell, effects, told),
});
