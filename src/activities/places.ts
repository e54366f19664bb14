/** Runs work of a kind when there is a place for it; rejects with the signal's reason when it is aborted before its turn. */
export type Places = <T>(kind: string, work: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * So many places for work, over all activities of the process, taken in the order in which they are asked for; half of them at
 * most by one kind, so that one which hangs leaves the others room.
 */
export function createPlaces(count: number): Places {
  const mostOfKind = Math.ceil(count / 2);
  const taken = new Map<string, number>();
  const waiting = new Map<() => void, string>();
  let free = count;
  const hasRoom = (kind: string): boolean => free > 0 && (taken.get(kind) ?? 0) < mostOfKind;
  const take = (kind: string): void => {
    free -= 1;
    taken.set(kind, (taken.get(kind) ?? 0) + 1);
  };
  const give = (kind: string): void => {
    free += 1;
    const left = (taken.get(kind) ?? 1) - 1;
    if (left === 0) taken.delete(kind);
    else taken.set(kind, left);
    for (const [enter, of] of waiting) {
      if (!hasRoom(of)) continue;
      enter();
      return;
    }
  };
  const turn = (kind: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        waiting.delete(enter);
        take(kind);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(enter);
        reject(signal.reason);
      };
      waiting.set(enter, kind);
      signal.addEventListener('abort', leave, { once: true });
    });
  return async (kind, work, signal) => {
    signal.throwIfAborted();
    if (hasRoom(kind)) take(kind);
    else await turn(kind, signal);
    try {
      return await work();
    } finally {
      give(kind);
    }
  };
}
