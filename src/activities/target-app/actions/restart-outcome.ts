import type { ActionOutcome, OutcomeStatus } from '../../../domain/target-app/action.ts';
import { dryRun, failed, refused, succeeded } from '../../../domain/target-app/outcomes.ts';
import { listed } from '../../../domain/workload.ts';
import type { Restarting } from './restart-one.ts';

/** What one call of a restart has to tell, by the names of the pods. */
export interface Told {
  /** Deleted or evicted; in a dry run, what would have been. */
  restarted: string[];
  /** How many of them nobody creates again. */
  forGood: number;
  gone: string[];
  /** Left alone, because nobody would create them again. */
  unmanaged: { name: string; why: string }[];
  /** In a dry run: what would have been waited for. */
  holds: { reason: string; message: string }[];
  /** Kinds of owners that the operator may not read. */
  unread: Set<string>;
}

export const nothingTold = (): Told => ({
  restarted: [],
  forGood: 0,
  gone: [],
  unmanaged: [],
  holds: [],
  unread: new Set(),
});

const allowing = 'parameters.allowUnmanaged: true deletes such pods all the same';

const sentences = (...parts: (string | false | undefined)[]): string => parts.filter(Boolean).join('; ');

/** Pods that were left alone, and how to have it otherwise. */
const leftAlone = (unmanaged: Told['unmanaged']): string | undefined =>
  unmanaged.length === 0
    ? undefined
    : `nobody would create again: ${listed(unmanaged.map(({ name, why }) => `${name} (${why})`))}; ${allowing}`;

const unreadNote = (unread: ReadonlySet<string>): string | undefined =>
  unread.size === 0
    ? undefined
    : `how many pods there are to be is not known, because the operator may not get ${[...unread].join(', ')}`;

function dryOutcome({ restarted, gone, unmanaged, holds }: Told): ActionOutcome {
  const message = sentences(
    restarted.length > 0 && `would restart: ${listed(restarted)}`,
    ...holds.map(({ message: why }) => `it would wait: ${why}`),
    gone.length > 0 && `already gone: ${listed(gone)}`,
    leftAlone(unmanaged),
  );
  const other = holds[0]?.reason ?? (unmanaged.length > 0 ? 'Unmanaged' : 'AlreadyGone');
  return dryRun(restarted.length > 0 ? 'DryRun' : other, message);
}

const nothingToRestart = ({ context, parameters }: Restarting): ActionOutcome => {
  if (context.mayBeDone) return succeeded('AlreadyGone', 'no pod is left that was there when the rule fired');
  const why = parameters.pods === 'all' ? 'no Running pod matches the selector' : 'no pod made the rule fire';
  return failed('NoMatchingPods', why);
};

/** Names of all that were restarted, as far as they are remembered. */
const restartedNames = ({ progress, told }: Restarting): string[] => progress?.names ?? told.restarted;

/** How the restarts ended, when nothing is left to do. */
export function restartOutcome(restarting: Restarting): ActionOutcome {
  const { context, progress, told } = restarting;
  const { gone, unmanaged, unread } = told;
  if (context.request.dryRun && told.restarted.length + gone.length + unmanaged.length + told.holds.length > 0)
    return dryOutcome(told);
  const count = progress?.count ?? 0;
  const names = restartedNames(restarting);
  const rest = [gone.length > 0 && `already gone: ${listed(gone)}`, leftAlone(unmanaged), unreadNote(unread)];
  if (count > 0) {
    const more = count > names.length ? ` and ${count - names.length} before` : '';
    const isOver = told.forGood === count;
    const message = sentences(`${isOver ? 'deleted' : 'restarted'}: ${names.join(', ')}${more}`, ...rest);
    return succeeded(isOver ? 'Deleted' : 'Restarted', message);
  }
  if (unmanaged.length > 0) return refused('Unmanaged', sentences(...rest));
  if (gone.length > 0) return succeeded('AlreadyGone', sentences(...rest));
  return nothingToRestart(restarting);
}

/** The end of restarts that went wrong: what is not restarted yet is better left as it is. */
export const stopped = (
  restarting: Restarting,
  status: OutcomeStatus,
  reason: string,
  message: string,
): ActionOutcome => {
  const names = restartedNames(restarting);
  const before = names.length > 0 ? `; restarted before that: ${listed(names)}, all others are left alone` : '';
  return { status, reason, message: `${message}${before}` };
};
