import { Tally } from './tally.ts';

/** Runs work of a kind when there is a place for it; rejects with the signal's reason when it is aborted before its turn. */
export type Places = <T>(kind: string, work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Who waits, in the order of their coming: how each is let in, and the kind of its work. */
type Line = Map<() => void, string>;

/** Waits in line until it is let in; leaves it, and rejects with the signal's reason, when that aborts before. */
const waitIn = (line: Line, kind: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const enter = (): void => {
      signal.removeEventListener('abort', leave);
      line.delete(enter);
      resolve();
    };
    const leave = (): void => {
      line.delete(enter);
      reject(signal.reason);
    };
    line.set(enter, kind);
    signal.addEventListener('abort', leave, { once: true });
  });

/** So many at once, half of them at most of one kind. */
class Room {
  readonly #taken = new Tally();
  readonly #mostOfKind: number;
  #free: number;

  constructor(count: number) {
    this.#free = count;
    this.#mostOfKind = Math.ceil(count / 2);
  }

  has(kind: string): boolean {
    return this.#free > 0 && this.#taken.of(kind) < this.#mostOfKind;
  }

  take(kind: string): void {
    this.#free -= 1;
    this.#taken.add(kind);
  }

  give(kind: string): void {
    this.#free += 1;
    this.#taken.remove(kind);
  }
}

/** How work that takes long, because somebody does not answer, makes room for others. */
export interface Aside {
  /** Milliseconds after which it gives its place back, and goes on aside. */
  afterMs: number;
  /** How much may be aside at once; half of it at most of one kind. What finds no room there keeps its place until it does. */
  most: number;
}

/** Work that is under way. */
interface Holder {
  kind: string;
  /** In milliseconds of a clock that never goes back. */
  since: number;
  isAside: boolean;
}

/** Those that hold a place, the oldest first, and how they step aside: one timer looks after all, while there are any. */
class Holders {
  readonly #holding = new Set<Holder>();
  readonly #beside: Room;
  readonly #afterMs: number;
  readonly #give: (kind: string) => void;
  #looking: NodeJS.Timeout | undefined;

  constructor(aside: Aside, give: (kind: string) => void) {
    this.#beside = new Room(aside.most);
    this.#afterMs = aside.afterMs;
    this.#give = give;
  }

  add(kind: string): Holder {
    const holder = { kind, since: performance.now(), isAside: false };
    this.#holding.add(holder);
    this.#looking ??= setInterval(() => this.#look(), this.#afterMs / 2);
    return holder;
  }

  /** Gives back the place, or the room aside that it was given for. */
  remove(holder: Holder): void {
    this.#holding.delete(holder);
    if (holder.isAside) this.#beside.give(holder.kind);
    else this.#give(holder.kind);
  }

  #look(): void {
    if (this.#holding.size === 0) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
    const before = performance.now() - this.#afterMs;
    for (const holder of this.#holding) {
      if (holder.since > before) return;
      if (!this.#beside.has(holder.kind)) continue;
      this.#holding.delete(holder);
      holder.isAside = true;
      this.#beside.take(holder.kind);
      this.#give(holder.kind);
    }
  }
}

/**
 * So many places for work, over all activities of the process, taken in the order in which they are asked for; half of them at
 * most by one kind, so that one which hangs leaves the others room. With `aside`, what hangs leaves room for its own kind as well.
 */
export function createPlaces(count: number, aside?: Aside): Places {
  const room = new Room(count);
  const line: Line = new Map();
  const give = (kind: string): void => {
    room.give(kind);
    for (const [enter, of] of line) {
      if (!room.has(of)) continue;
      room.take(of);
      enter();
      return;
    }
  };
  const holders = aside && new Holders(aside, give);
  return async (kind, work, signal) => {
    signal.throwIfAborted();
    if (room.has(kind)) room.take(kind);
    else await waitIn(line, kind, signal);
    const holder = holders?.add(kind);
    try {
      return await work();
    } finally {
      if (holder === undefined) give(kind);
      else holders?.remove(holder);
    }
  };
}
