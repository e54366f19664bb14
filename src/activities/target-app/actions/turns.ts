/** Runs work one at a time for each key, in the order in which it came. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Turns of this process: what several replicas do at the same moment is theirs to see. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    const mine = (before ?? Promise.resolve()).then(work);
    // Who comes next waits for the end of it, however it ends.
    const ended = mine.catch(() => undefined);
    last.set(key, ended);
    try {
      return await mine;
    } finally {
      if (last.get(key) === ended) last.delete(key);
    }
  };
}
