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

/** A gate for `limit` at once of each key. */
export const createGate = (limit: number): Gate => {
  const rooms = new Map<string, Room>();

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

  const wait = (key: string, room: Room, withinMs: number, signal: AbortSignal | undefined) =>
    new Promise<Leave | undefined>((resolve, reject) => {
      const settle = (): void => {
        room.waiting.delete(enter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const enter = (): void => {
        settle();
        resolve(leave(key, room));
      };
      const abort = (): void => {
        settle();
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        settle();
        resolve(undefined);
      }, withinMs);
      signal?.addEventListener('abort', abort);
      room.waiting.add(enter);
    });

  const roomOf = (key: string): Room => {
    const room = rooms.get(key) ?? { inside: 0, waiting: new Set() };
    rooms.set(key, room);
    return room;
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
      return tryEnter(key) ?? wait(key, roomOf(key), withinMs, signal);
    },
  };
};
