import { Context } from '@temporalio/activity';

/** How often an activity says that it is alive; well below the heartbeat timeout, so that one late beat is no death. */
const beatMs = 2_000;

/** Runs an attempt of an activity with a heartbeat beside it, and its cancellation as a signal. */
export async function attempt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), beatMs);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(beat);
  }
}
