/** What begins without waiting, and ends when it is told to. */
export interface Part {
  start(): void;
  stop(): Promise<void>;
}

/** What was started, to be ended in the opposite order. */
export interface ShutdownStack {
  /**
   * Registers how to end something that runs now, and how long that may take. When the end has come already, as it may while
   * something still starts, it is ended at once, and the promise waits for it.
   */
  push(name: string, end: () => unknown, withinMs?: number): Promise<void>;
  /** Starts a part and registers its end. */
  run(name: string, part: Part, withinMs?: number): void;
  /**
   * Ends everything, the youngest first, each when the one before it has ended or its time is up. What fails or hangs is told
   * to `onError`, and the others are ended all the same; so this never rejects. May be called more than once.
   */
  end(): Promise<void>;
}

/** Something took longer to end than it may. It is left to itself. */
export class NotEnded extends Error {
  override readonly name = 'NotEnded';
  constructor(withinMs: number) {
    super(`not ended within ${withinMs / 1000} s`);
  }
}

interface Started {
  name: string;
  end(): unknown;
  withinMs: number;
}

const defaultWithinMs = 10_000;

async function ended({ end, withinMs }: Started): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NotEnded(withinMs)), withinMs);
  try {
    await Promise.race([end(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An empty stack. `onError` is told the name of what did not end as it should, and why. */
export function createShutdownStack(onError: (name: string, error: unknown) => void): ShutdownStack {
  const stack: Started[] = [];
  let ending: Promise<void> | undefined;
  const endOne = (started: Started): Promise<void> => ended(started).catch((error) => onError(started.name, error));
  const endAll = async (): Promise<void> => {
    for (let youngest = stack.pop(); youngest !== undefined; youngest = stack.pop()) await endOne(youngest);
  };
  const push: ShutdownStack['push'] = async (name, end, withinMs = defaultWithinMs) => {
    if (ending === undefined) stack.push({ name, end, withinMs });
    else await endOne({ name, end, withinMs });
  };
  return {
    push,
    run: (name, part, withinMs) => {
      part.start();
      void push(name, () => part.stop(), withinMs);
    },
    end: () => {
      ending ??= endAll();
      return ending;
    },
  };
}

/** Starts several things that register themselves; when one of them fails, those before it are ended, and it is thrown. */
export async function startAll<T>(stack: ShutdownStack, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    await stack.end();
    throw error;
  }
}
