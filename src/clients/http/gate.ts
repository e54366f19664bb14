/** Lets the next one in. */
export type Leave = () => void;

/** Lets only so many in at once, by key; the others wait in the order in which they came. */
export interface Gate {
  /** Undefined when it would have to wait. */
  tryEnter(key: string): Leave | undefined;
  /** Undefined when it was not let in within so many milliseconds. Rejects with the signal's reason when that aborts first. */
  enter(key: string, withinMs: number, signal: AbortSignal | undefined): Promise<Leave | undefined>;
}

interface Room {
  inside: number;
  waiting: Set<() => void>;
}

/** Waits until who leaves hands on the place; false when that was not within so many milliseconds. */
const wait = (room: Room, withinMs: number, signal: AbortSignal | undefined): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      room.waiting.delete(enter);
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const enter = (): void => {
      settle();
      resolve(true);
    };
    const abort = (): void => {
      settle();
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      settle();
      resolve(false);
    }, withinMs);
    signal?.addEventListener('abort', abort);
    room.waiting.add(enter);
  });

/** A gate for `limit` at once of each key. */
export const createGate = (limit: number): Gate => {
  const rooms = new Map<string, Room>();
  const roomOf = (key: string): Room => {
    const room = rooms.get(key) ?? { inside: 0, waiting: new Set() };
    rooms.set(key, room);
    return room;
  };

  const leave = (key: string, room: Room): Leave => {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const [next] = room.waiting;
      if (next !== undefined) return next();
      room.inside -= 1;
      if (room.inside === 0) rooms.delete(key);
    };
  };

  const tryEnter = (key: string): Leave | undefined => {
    const room = roomOf(key);
    if (room.inside >= limit) return undefined;
    room.inside += 1;
    return leave(key, room);
  };

  return {
    tryEnter,
    enter: async (key, withinMs, signal) => {
      signal?.throwIfAborted();
      const free = tryEnter(key);
      if (free !== undefined) return free;
      const room = roomOf(key);
      return (await wait(room, withinMs, signal)) ? leave(key, room) : undefined;
    },
  };
};
