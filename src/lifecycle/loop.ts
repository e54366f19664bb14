import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; ends early, without an error, when the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** A step that is repeated in the background. */
export interface Loop {
  /** Aborts the step's signal, ends the pause, and resolves when the step under way has ended. */
  stop(): Promise<void>;
}

/** Begins at once. A step returns how many milliseconds to pause after it, and handles its own errors. */
export function startLoop(step: (signal: AbortSignal) => Promise<number>): Loop {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const pauseMs = await step(signal);
      if (pauseMs > 0) await pause(pauseMs, signal);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
