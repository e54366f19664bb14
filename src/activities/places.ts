/** Runs work when there is a place for it; rejects with the signal's reason when it is aborted before its turn. */
export type Places = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** So many places for work of one kind, over all activities of the process, taken in the order in which they are asked for. */
export function createPlaces(count: number): Places {
  let free = count;
  const waiting = new Set<() => void>();
  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(enter);
        reject(signal.reason);
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  return async (work, signal) => {
    signal.throwIfAborted();
    if (free > 0) free -= 1;
    else await turn(signal);
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next === undefined) free += 1;
      else {
        waiting.delete(next);
        next();
      }
    }
  };
}
