import { HistoryEvent, type RunEvent } from './workflow-env.ts';

const activityOf = (event: RunEvent): string | null | undefined =>
  event.activityTaskScheduledEventAttributes?.activityType?.name;

/** The events from one poll's beginning to the next one's, for each poll of a history that has a next one. */
export function pollsIn(events: RunEvent[]): RunEvent[][] {
  const starts = events.flatMap((event, i) => (activityOf(event) === 'observe' ? [i] : []));
  return starts.slice(0, -1).map((start, i) => events.slice(start, starts[i + 1]));
}

/** Whether nothing was done between a poll and the next one, no heartbeat either. */
export const isUneventful = (poll: RunEvent[]): boolean => poll.filter((event) => activityOf(event)).length === 1;

/** What events cost the history. */
export const bytesOf = (events: RunEvent[]): number =>
  events.reduce((sum, event) => sum + HistoryEvent.encode(event).finish().length, 0);

export const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
