import { type Failure, failureOf } from '../../domain/failure.ts';
import { addressOf } from './sanitize.ts';

/** What became of the time that a request had. Milliseconds. */
export interface TimeSpent {
  deadlineMs: number;
  elapsedMs: number;
  /** It waited for others of KCO. */
  heldMs: number;
  /** The process stood still. */
  stalledMs: number;
}

/** From this part of its time on it matters that whoever was asked did not have it. */
export const considerable = 0.1;
/** A connection that is given up by the other side may have waited for us this long. */
const longSilenceMs = 1_000;

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

/** A failure that is the fault of whoever was asked, unless KCO itself took a good part of the time that they had. */
export function blamed(failure: Failure, url: URL, { deadlineMs, elapsedMs, heldMs, stalledMs }: TimeSpent): Failure {
  const muchMs = deadlineMs * considerable;
  const isLate = failure.class === 'Timeout' || failure.about === 'late';
  const isLost = failure.about === 'lost';
  const ofItsTime = (ms: number) => `for ${seconds(ms)} s of ${seconds(deadlineMs)} s`;
  if (
    (isLate && elapsedMs - stalledMs < deadlineMs - heldMs - muchMs) ||
    (isLost && stalledMs >= longSilenceMs + muchMs)
  )
    return failureOf('OperatorTrouble', `${addressOf(url)}: the operator stood still ${ofItsTime(stalledMs)}`);
  if (!isLate || heldMs < muchMs) return failure;
  return failureOf('Throttled', `${addressOf(url)}: the operator held the request back ${ofItsTime(heldMs)}`);
}
