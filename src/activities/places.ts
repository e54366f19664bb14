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

/**
 * So many places for work, over all activities of the process, taken in the order in which they are asked for; half of them at
 * most by one kind, so that one which hangs leaves the others room.
 */
export function createPlaces(count: number): Places {
  const mostOfKind = Math.ceil(count / 2);
  const taken = new Tally();
  const line: Line = new Map();
  let free = count;
  const hasRoom = (kind: string): boolean => free > 0 && taken.of(kind) < mostOfKind;
  const take = (kind: string): void => {
    free -= 1;
    taken.add(kind);
  };
  const give = (kind: string): void => {
    free += 1;
    taken.remove(kind);
    const next = [...line].find(([, of]) => hasRoom(of));
    if (next === undefined) return;
    const [enter, of] = next;
    take(of);
    enter();
  };
  return async (kind, work, signal) => {
    signal.throwIfAborted();
    if (hasRoom(kind)) take(kind);
    else await waitIn(line, kind, signal);
    try {
      return await work();
    } finally {
      give(kind);
    }
  };
}
