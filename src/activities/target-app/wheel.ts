import { tickMs } from '../../domain/schedule.ts';

/** Waits of any number, for which the process wakes up once a tick at most. */
export interface Wheel {
  /** Resolves at the first tick that is not before `at` (epoch milliseconds), or at once when `wake` is called. */
  wait(at: number): { ended: Promise<void>; wake(): void };
  /** How many wait. */
  readonly size: number;
}

/** A wheel that stands still while nobody waits. */
export function createWheel(): Wheel {
  const byTick = new Map<number, Set<() => void>>();
  let timer: NodeJS.Timeout | undefined;
  let timerTick = Number.POSITIVE_INFINITY;

  const arm = (): void => {
    const next = Math.min(...byTick.keys());
    if (next === timerTick && timer !== undefined) return;
    clearTimeout(timer);
    timerTick = next;
    timer = Number.isFinite(next) ? setTimeout(turn, Math.max(0, next * tickMs - Date.now())) : undefined;
  };
  const turn = (): void => {
    timer = undefined;
    const now = Date.now();
    for (const [tick, waiting] of byTick) {
      if (tick * tickMs > now) continue;
      byTick.delete(tick);
      for (const end of waiting) end();
    }
    arm();
  };

  return {
    wait: (at) => {
      const tick = Math.ceil(at / tickMs);
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      const waiting = byTick.get(tick) ?? new Set();
      byTick.set(tick, waiting.add(resolve));
      if (tick < timerTick || timer === undefined) arm();
      return {
        ended,
        wake: () => {
          if (waiting.delete(resolve) && waiting.size === 0) byTick.delete(tick);
          resolve();
        },
      };
    },
    get size() {
      return [...byTick.values()].reduce((sum, { size }) => sum + size, 0);
    },
  };
}
