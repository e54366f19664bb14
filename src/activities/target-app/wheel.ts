import { tickMs } from '../../domain/schedule.ts';

/** One wait of many. */
export interface Wait {
  ended: Promise<void>;
  /** Ends it now. */
  wake(): void;
}

/** One that is on a wheel: ten thousand of them are made anew every few seconds, so each is one object and one promise. */
class WaitHere implements Wait {
  readonly ended: Promise<void>;
  readonly #tick: number;
  readonly #wheel: Map<number, Set<WaitHere>>;
  #end!: () => void;

  constructor(tick: number, wheel: Map<number, Set<WaitHere>>) {
    this.#tick = tick;
    this.#wheel = wheel;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  wake(): void {
    const waiting = this.#wheel.get(this.#tick);
    if (waiting?.delete(this) && waiting.size === 0) this.#wheel.delete(this.#tick);
    this.#end();
  }

  end(): void {
    this.#end();
  }
}

/** Waits of any number, for which the process wakes up once a tick at most. It stands still while nobody waits. */
export class Wheel {
  readonly #byTick = new Map<number, Set<WaitHere>>();
  #timer: NodeJS.Timeout | undefined;
  #timerTick = Number.POSITIVE_INFINITY;

  /** Ends at the first tick that is not before `at` (epoch milliseconds), or when it is woken up. */
  wait(at: number): Wait {
    const tick = Math.ceil(at / tickMs);
    const wait = new WaitHere(tick, this.#byTick);
    const others = this.#byTick.get(tick);
    if (others === undefined) this.#byTick.set(tick, new Set([wait]));
    else others.add(wait);
    if (tick < this.#timerTick) this.#arm();
    return wait;
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
      for (const wait of waiting) wait.end();
    }
    this.#arm();
  }
}
