import { tickMs } from '../../domain/schedule.ts';

/** One wait of many. */
export interface Wait {
  ended: Promise<void>;
  /** Ends it now. */
  wake(): void;
}

/** Waits of any number, for which the process wakes up once a tick at most. It stands still while nobody waits. */
export class Wheel {
  readonly #byTick = new Map<number, Set<() => void>>();
  #timer: NodeJS.Timeout | undefined;
  #timerTick = Number.POSITIVE_INFINITY;

  /** Ends at the first tick that is not before `at` (epoch milliseconds), or when it is woken up. */
  wait(at: number): Wait {
    const tick = Math.ceil(at / tickMs);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const waiting = this.#byTick.get(tick) ?? new Set();
    this.#byTick.set(tick, waiting.add(resolve));
    if (tick < this.#timerTick) this.#arm();
    const wake = (): void => {
      if (waiting.delete(resolve) && waiting.size === 0) this.#byTick.delete(tick);
      resolve();
    };
    return { ended, wake };
  }

  /** How many wait. */
  get size(): number {
    return [...this.#byTick.values()].reduce((sum, { size }) => sum + size, 0);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timerTick = Math.min(...this.#byTick.keys(), Number.POSITIVE_INFINITY);
    if (!Number.isFinite(this.#timerTick)) return;
    this.#timer = setTimeout(() => this.#turn(), Math.max(0, this.#timerTick * tickMs - Date.now())).unref();
  }

  #turn(): void {
    const now = Date.now();
    for (const [tick, waiting] of this.#byTick) {
      if (tick * tickMs > now) continue;
      this.#byTick.delete(tick);
      for (const end of waiting) end();
    }
    this.#arm();
  }
}
