import { setTimeout as sleep } from 'node:timers/promises';

/** What a work queue is made of. */
export interface WorkQueueOptions<Item> {
  /** Does one item; a rejection puts it back for later. */
  work(item: Item): Promise<void>;
  /** What two items under one key come to: the newer one, or both in one. */
  merge(waiting: Item, added: Item): Item;
  onError(error: unknown, key: string, retryMs: number): void;
  /** Items under way at once. */
  concurrency: number;
  /** Items begun per second, and how many may be begun at once after a pause. */
  rate: { perSecond: number; burst: number };
}

/** Keyed work that is never lost while the process lives: one item per key, retried until it succeeds. */
export interface WorkQueue<Item> {
  add(key: string, item: Item): void;
  /** Keys whose work is not done: waiting, under way, or to be tried again. For stats. */
  readonly size: number;
  stop(): Promise<void>;
}

const backoffMs = { first: 250, longest: 15_000 };

/** A queue that does one item per key at a time, in the order of their coming, at a bounded rate. */
export function createWorkQueue<Item>({
  work,
  merge,
  onError,
  concurrency,
  rate,
}: WorkQueueOptions<Item>): WorkQueue<Item> {
  const waiting = new Map<string, Item>();
  const busy = new Set<string>();
  /** How often a key has failed since it last succeeded. */
  const failures = new Map<string, number>();
  const stopping = new AbortController();
  let tokens = rate.burst;
  let filledAt = performance.now();
  let wake: () => void = () => undefined;

  const mayBegin = (): number => {
    const now = performance.now();
    tokens = Math.min(rate.burst, tokens + ((now - filledAt) / 1000) * rate.perSecond);
    filledAt = now;
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / rate.perSecond) * 1000);
  };

  const add = (key: string, item: Item): void => {
    const earlier = waiting.get(key);
    waiting.set(key, earlier === undefined ? item : merge(earlier, item));
    wake();
  };

  const putBack = (key: string, item: Item, error: unknown): void => {
    const failed = (failures.get(key) ?? 0) + 1;
    failures.set(key, failed);
    const retryMs = Math.round(
      Math.min(backoffMs.longest, backoffMs.first * 2 ** (failed - 1)) * (0.5 + Math.random()),
    );
    onError(error, key, retryMs);
    // What came in the meantime is newer than what failed.
    const newer = waiting.get(key);
    if (newer !== undefined) waiting.set(key, merge(item, newer));
    else
      void sleep(retryMs, undefined, { signal: stopping.signal }).then(
        () => add(key, item),
        () => undefined,
      );
  };

  const begin = async (key: string, item: Item): Promise<void> => {
    busy.add(key);
    try {
      await work(item);
      failures.delete(key);
    } catch (error) {
      putBack(key, item, error);
    } finally {
      busy.delete(key);
      wake();
    }
  };

  const next = (): [string, Item] | undefined => {
    if (busy.size >= concurrency) return undefined;
    for (const entry of waiting) if (!busy.has(entry[0])) return entry;
    return undefined;
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const entry = next();
      const pause = entry === undefined ? undefined : mayBegin();
      if (entry !== undefined && pause === 0) {
        tokens -= 1;
        waiting.delete(entry[0]);
        void begin(...entry);
      } else if (pause !== undefined) await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };
  const running = run();

  return {
    add,
    get size() {
      return new Set([...waiting.keys(), ...busy, ...failures.keys()]).size;
    },
    stop: async () => {
      stopping.abort();
      wake();
      await running;
    },
  };
}
