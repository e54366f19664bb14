import { secondsOf } from '../../../domain/seconds.ts';
import { hasStatus, KubeError } from '../errors.ts';
import type { KubeObject } from '../types.ts';
import type { Entry, Store } from './store.ts';
import { needsList, retryAfterMs, waitAfter } from './watch-failure.ts';
import {
  type ConnectionOptions,
  listAll,
  SilentWatch,
  type WatchEvent,
  type Watched,
  watchOnce,
} from './watch-stream.ts';

/** Time as the watch needs it; an argument so that nothing here reads a clock. */
export interface WatchClock {
  /** Milliseconds that only go up. */
  now(): number;
  /** Ends early, without an error, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** 0 ≤ x < 1. */
  random(): number;
}

/** Milliseconds, except for `pageSize`. */
export interface WatchTiming {
  /** First wait after a failure; doubles up to the cap, and each is shortened by up to half at random. */
  backoffMs: number;
  backoffCapMs: number;
  /** Without a byte for this long a watch is dead. Bookmarks come about once a minute. */
  stallMs: number;
  /** The server is asked to end a watch after this long, so that connections spread over its replicas. */
  watchMs: number;
  /** A full list after this long, shortened by up to a fifth at random: the net under everything else. */
  relistMs: number;
  pageSize: number;
}

export interface ReflectorOptions extends Watched {
  /** All namespaces when absent. */
  namespace?: string;
  labelSelector?: string;
  store: Pick<Store<unknown>, 'entryOf' | 'put' | 'remove' | 'replace'>;
  clock: WatchClock;
  timing: WatchTiming;
  signal: AbortSignal;
  onListed(): void;
  /** Told when a watch is open again after a failure. */
  onReturn(): void;
  onError(error: unknown, waitMs: number): void;
}

/** One LIST and WATCH that goes on until its signal aborts. */
export interface Reflector {
  /** When the API server last proved that the copy is current; `-Infinity` before. */
  provenAt(): number;
  /** Whether everything was listed once. */
  hasListed(): boolean;
  /** What its last attempt failed by; undefined as soon as the API server has opened a watch again, or, after a silent one, said something. */
  trouble(): unknown;
  /** Never rejects. */
  run(): Promise<void>;
}

const tooShortMs = 1000;

/** A LIST and WATCH: what it has proved of the copy, and where it goes on. */
class ListWatch {
  readonly #options: ReflectorOptions;
  readonly #scope: { namespace: string | undefined; labelSelector: string | undefined };
  /** Where the next watch begins; undefined when everything is to be listed. */
  #version: string | undefined;
  #relistAt = 0;
  /** Failures in a row. */
  #failures = 0;
  /** Whether a list comes in pages. */
  #paged = true;
  provenAt = Number.NEGATIVE_INFINITY;
  hasListed = false;
  trouble: unknown;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#scope = { namespace: options.namespace, labelSelector: options.labelSelector };
  }

  async run(): Promise<void> {
    const { signal, clock } = this.#options;
    while (!signal.aborted) {
      let watching = false;
      try {
        if (this.#version === undefined) await this.#list();
        else if (clock.now() >= this.#relistAt) await this.#relist();
        watching = true;
        // `#list` has set it.
        await this.#watch(this.#version ?? '');
        this.#failures = 0;
      } catch (error) {
        await this.#survive(error, watching);
      }
    }
  }

  async #list(): Promise<void> {
    const { store, clock, timing, signal, onListed } = this.#options;
    const startedAt = clock.now();
    // Of any version ("0") it would be cheaper for the API server, which then sends all in one piece whatever the limit.
    const limit = this.#paged ? timing.pageSize : undefined;
    const listed: Entry<unknown>[] = [];
    const take = (object: KubeObject): unknown => listed.push(store.entryOf(object));
    const version = await listAll(this.#options, { ...this.#scope, limit, signal }, take);
    store.replace(listed, this.#scope.namespace);
    this.#version = version;
    this.hasListed = true;
    this.#paged = true;
    this.provenAt = startedAt;
    this.#relistAt = clock.now() + timing.relistMs * (1 - clock.random() / 5);
    onListed();
  }

  /** The list from time to time. One that fails is put off: the watch that it is the net under is still good. */
  async #relist(): Promise<void> {
    const { clock, timing, signal, onError } = this.#options;
    try {
      await this.#list();
    } catch (error) {
      if (signal.aborted) return;
      if (hasStatus(error, 410)) this.#paged = false;
      const waitMs = Math.max(timing.relistMs / 10, retryAfterMs(error));
      this.#relistAt = clock.now() + waitMs;
      onError(error, waitMs);
    }
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { clock, timing } = this.#options;
    const startedAt = clock.now();
    try {
      for await (const event of watchOnce(this.#options, this.#connection(resourceVersion))) this.#take(event);
    } catch (error) {
      // A long life is a good sign, even without a single event: the next failure starts from the shortest wait.
      if (clock.now() - startedAt > timing.backoffCapMs) this.#failures = 0;
      throw error;
    }
    const short = this.#version === resourceVersion && clock.now() - startedAt < tooShortMs;
    if (short)
      throw new KubeError({ reason: 'ConnectionLost', message: 'the watch was ended as soon as it was opened' });
  }

  #connection(resourceVersion: string): ConnectionOptions {
    const { clock, timing, signal } = this.#options;
    const watchMs = Math.max(1000, Math.min(timing.watchMs, this.#relistAt - clock.now()));
    return {
      ...this.#scope,
      resourceVersion,
      timeoutSeconds: Math.ceil(secondsOf(watchMs)),
      signal,
      stallMs: timing.stallMs,
      onOpen: () => this.#onOpen(),
      onData: () => this.#onData(),
    };
  }

  #take({ type, object }: WatchEvent): void {
    const { store } = this.#options;
    if (type === 'DELETED') store.remove(object);
    else if (type !== 'BOOKMARK') store.put(object);
    this.#version = object.metadata.resourceVersion;
    this.#failures = 0;
  }

  /** One that has just been silent proves nothing by being open again. */
  #onOpen(): void {
    if (!(this.trouble instanceof SilentWatch)) this.#onData();
  }

  #onData(): void {
    this.provenAt = this.#options.clock.now();
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.#options.onReturn();
  }

  async #survive(error: unknown, watching: boolean): Promise<void> {
    const { clock, timing, signal, onError } = this.#options;
    if (signal.aborted) return;
    this.#failures += 1;
    if (watching && needsList(error, this.#failures)) this.#version = undefined;
    // A continue token that expired is answered with 410 as well: next time in one piece.
    if (!watching && hasStatus(error, 410)) this.#paged = false;
    const waitMs = waitAfter(error, this.#failures, timing, clock.random());
    if (waitMs > 0) this.trouble = error;
    onError(error, waitMs);
    await clock.sleep(waitMs, signal);
  }
}

/** A watch that is neither listed nor connected before `run`. */
export const createReflector = (options: ReflectorOptions): Reflector => {
  const each = new ListWatch(options);
  return {
    provenAt: () => each.provenAt,
    hasListed: () => each.hasListed,
    trouble: () => each.trouble,
    run: () => each.run(),
  };
};
