import { Context } from '@temporalio/activity';

/** How often an activity says that it is alive; well below the heartbeat timeout, so that one late beat is no death. */
const beatMs = 2_000;

/** Runs an attempt of an activity with a heartbeat beside it, its cancellation as a signal, and its limit in milliseconds. */
export async function attempt<T>(work: (signal: AbortSignal, limitMs: number) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), beatMs);
  try {
    return await work(context.cancellationSignal, context.info.startToCloseTimeoutMs);
  } finally {
    clearInterval(beat);
  }
}
