import { iso } from '../seconds.ts';
import { type ConditionNow, condition } from '../status-conditions.ts';
import type { Memory } from './memory.ts';
import type { Observation } from './observation.ts';

/** Few intervals, and never so little that a busy minute is news: each time costs a turn. */
const intervals = 3;
const leastMs = 60_000;

/** After how many milliseconds a poll that is due and has not ended is to be told of. */
export const overdueAfterMs = (intervalMs: number): number => Math.max(leastMs, intervals * intervalMs);

/** The memory with what was told of a poll that is overdue, or is not any more. */
export function withOverdue(memory: Memory, { overdue }: Observation): Memory {
  if (overdue === undefined) return memory;
  const { overdueSince: _, ...rest } = memory;
  return overdue === null ? rest : { ...rest, overdueSince: overdue.since };
}

/** That nobody is asked, though it is time; absent while polls are in time. */
export const overdue = ({ overdueSince }: Memory): ConditionNow | undefined =>
  overdueSince === undefined
    ? undefined
    : condition(
        'True',
        'PollOverdue',
        `a poll is due since ${iso(overdueSince)} and has not ended: what this status says is older than that`,
      );
