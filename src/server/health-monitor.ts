import { secondsOf } from '../domain/seconds.ts';
import { type Loop, startLoop } from '../lifecycle/loop.ts';
import type { CheckResult } from './checks.ts';

/** What is looked at again and again. */
export interface HealthMonitorOptions {
  /** Looks once; rejects when it is not well. */
  check(signal: AbortSignal): Promise<void>;
  everyMs: number;
  /** Told when a look succeeds after one that did not: for how many milliseconds none did. */
  onRecovered?(lostMs: number): void;
  /** Told of the first failure of a row. */
  onFailing?(error: unknown): void;
}

/** Looks after something in the background, so that a readiness check only reads what is known. */
export interface HealthMonitor {
  readonly result: CheckResult;
  /** Begins to look; does not wait. */
  start(): void;
  stop(): Promise<void>;
}

const lookTimeoutMs = 5_000;

/** Rejects when the signal aborts: a look that hangs is a look that failed, however patient it is itself. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const tell = () => reject(new Error(`no answer within ${secondsOf(lookTimeoutMs)} s`));
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });

export function createHealthMonitor({ check, everyMs, onRecovered, onFailing }: HealthMonitorOptions): HealthMonitor {
  let result: CheckResult = { ok: false, message: 'not looked at yet' };
  /** Since when no look has succeeded; undefined while all is well. */
  let lostAt: number | undefined;

  const look = async (stopping: AbortSignal): Promise<number> => {
    try {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(lookTimeoutMs)]);
      await Promise.race([check(signal), aborted(signal)]);
      result = { ok: true };
      if (lostAt !== undefined) onRecovered?.(performance.now() - lostAt);
      lostAt = undefined;
    } catch (error) {
      if (stopping.aborted) return 0;
      result = { ok: false, message: error instanceof Error ? error.message : String(error) };
      if (lostAt === undefined) onFailing?.(error);
      lostAt ??= performance.now();
    }
    return everyMs;
  };

  let loop: Loop | undefined;
  return {
    get result() {
      return result;
    },
    start: () => {
      loop ??= startLoop(look);
    },
    stop: async () => loop?.stop(),
  };
}
