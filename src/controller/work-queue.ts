import { type Backoff, backoffMs, spread } from '../domain/backoff.ts';
import { fullBucket, type Rate, type TokenBucket, takeToken } from '../domain/token-bucket.ts';
import { type Loop, pause, startLoop } from '../lifecycle/loop.ts';
import { KeyedItems } from './keyed-items.ts';

/** What a work queue is made of. */
export interface WorkQueueOptions<Item> {
  /** Does one item; a rejection puts it back for later. */
  work(item: Item): Promise<void>;
  /** What two items under one key come to: the newer one, or both in one. */
  merge(waiting: Item, added: Item): Item;
  /** Those of one rank go before those of the next, 0 first; absent: all are of one. Merging never leads to a later one. */
  rankOf?(item: Item): number;
  onError(error: unknown, key: string, retryMs: number): void;
  /** Items under way at once. */
  concurrency: number;
  /** How often items are begun. */
  rate: Rate;
}

/** Keyed work that is never lost while the process lives: one item per key, retried until it succeeds. */
export interface WorkQueue<Item> {
  add(key: string, item: Item): void;
  /** Keys whose work is not done: waiting, under way, or to be tried again. For stats. */
  readonly size: number;
  stop(): Promise<void>;
}

const backoff: Backoff = { firstMs: 250, longestMs: 15_000 };

/** The queue at work: who waits until there is something to do, or room to do it, is woken by every change of the items. */
class Working<Item> {
  readonly #options: WorkQueueOptions<Item>;
  readonly #items: KeyedItems<Item>;
  readonly #loop: Loop;
  #bucket: TokenBucket;
  #wake: () => void = () => undefined;

  constructor(options: WorkQueueOptions<Item>) {
    this.#options = options;
    this.#items = new KeyedItems(options.merge, options.rankOf);
    this.#bucket = fullBucket(options.rate, performance.now());
    this.#loop = startLoop((signal) => this.#step(signal));
  }

  get size(): number {
    return this.#items.size;
  }

  add(key: string, item: Item): void {
    this.#items.add(key, item);
    this.#wake();
  }

  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#wake();
    await stopped;
  }

  async #step(signal: AbortSignal): Promise<number> {
    const { concurrency, rate } = this.#options;
    const next = this.#items.busy < concurrency ? this.#items.next() : undefined;
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      return 0;
    }
    const { bucket, taken, waitMs } = takeToken(this.#bucket, rate, performance.now(), 0);
    this.#bucket = bucket;
    if (taken) void this.#do(...next, signal);
    return Math.ceil(waitMs);
  }

  async #do(key: string, item: Item, signal: AbortSignal): Promise<void> {
    this.#items.begin(key);
    try {
      await this.#options.work(item);
      this.#items.succeed(key);
    } catch (error) {
      void this.#putBack(key, item, error, signal);
    }
    this.#wake();
  }

  async #putBack(key: string, item: Item, error: unknown, signal: AbortSignal): Promise<void> {
    const retryMs = Math.round(spread(backoffMs(backoff, this.#items.fail(key)), Math.random()));
    this.#options.onError(error, key, retryMs);
    if (this.#items.joinNewer(key, item)) return;
    await pause(retryMs, signal);
    if (!signal.aborted) this.add(key, item);
  }
}

/** A queue that does one item per key at a time, in the order of their coming, those of the first rank first, at a bounded rate. */
export function createWorkQueue<Item>(options: WorkQueueOptions<Item>): WorkQueue<Item> {
  const working = new Working(options);
  return {
    add: (key, item) => working.add(key, item),
    get size() {
      return working.size;
    },
    stop: () => working.stop(),
  };
}
