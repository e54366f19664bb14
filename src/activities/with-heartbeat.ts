import { Context } from '@temporalio/activity';

/** How often an activity says that it is alive; well below the heartbeat timeout, so that one late beat is no death. */
const beatMs = 2_000;

/**
 * Runs an attempt of an activity with a heartbeat beside it; it is told its cancellation as a signal, its limit in
 * milliseconds, and which attempt it is (1 for the first one).
 */
export async function withHeartbeat<T>(
  work: (signal: AbortSignal, limitMs: number, attempt: number) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), beatMs);
  try {
    const { startToCloseTimeoutMs, attempt } = context.info;
    return await work(context.cancellationSignal, startToCloseTimeoutMs, attempt);
  } finally {
    clearInterval(beat);
  }
}
