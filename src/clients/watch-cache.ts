import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube, KubeObject, ResourceRef } from './kube-types.ts';
import { createFollow, type WatchClock, type WatchTiming } from './watch-follow.ts';
import { createWatchStore, type WatchEventType } from './watch-store.ts';

export type { WatchClock, WatchTiming } from './watch-follow.ts';
export type { WatchEventType } from './watch-store.ts';

export interface WatchCacheOptions<T> {
  kube: Pick<Kube, 'list' | 'watch'>;
  ref: ResourceRef;
  /** One list and watch per namespace; all namespaces in one when empty or absent. */
  namespaces?: string[];
  labelSelector?: string;
  /** What is kept of an object; everything else is garbage at once. */
  trim(object: KubeObject): T;
  /**
   * Told of every change after it is in the copy, in order per object. After a relist the difference (by uid) arrives
   * here as well, so `deleted` means "the API server no longer lists it": who would end something because of it should
   * GET the object first, since a list may be wrongly empty.
   */
  onChange?(event: WatchEventType, object: T, previous?: T): void;
  /** Told of every failure that is being survived, for logs and metrics. */
  onError?(error: unknown, waitMs: number): void;
  clock?: WatchClock;
  timing?: Partial<WatchTiming>;
}

/** A local copy of the objects of one type, kept up to date by LIST and WATCH. */
export interface WatchCache<T> {
  /** Begins; does not wait. It retries for ever, so nothing rejects. */
  start(): void;
  /** Resolves when everything was listed once. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  get(namespace: string, name: string): T | undefined;
  /** All objects of one namespace, or of all. */
  list(namespace?: string): T[];
  readonly size: number;
  /** Milliseconds since the API server last proved that the copy is current (event, bookmark, list). Infinity before. */
  stalenessMs(): number;
  /** Ends all connections; the copy stays readable. */
  stop(): Promise<void>;
}

const systemClock: WatchClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  random: Math.random,
};

const defaultTiming: WatchTiming = {
  backoffMs: 500,
  backoffCapMs: 30_000,
  stallMs: 90_000,
  watchMs: 300_000,
  relistMs: 600_000,
  pageSize: 500,
};

/**
 * An empty cache that does nothing before `start`. It outlives every failure: an error waits and tries again, a version
 * that expired is listed anew, a list that failed deletes nothing, and a type that is absent keeps what was known.
 */
export const createWatchCache = <T>(options: WatchCacheOptions<T>): WatchCache<T> => {
  const { kube, ref, namespaces = [], labelSelector, trim, clock = systemClock } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const ending = new AbortController();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  const onError = (error: unknown, waitMs: number) => options.onError?.(error, waitMs);
  const onChange = (event: WatchEventType, object: T, previous?: T) => {
    try {
      options.onChange?.(event, object, previous);
    } catch (error) {
      // A fault of who listens must not look like one of the connection.
      onError(error, 0);
    }
  };

  const store = createWatchStore<T>({ trim, onChange });
  const scopes: (string | undefined)[] = namespaces.length > 0 ? [...new Set(namespaces)] : [undefined];
  const unlisted = new Set(scopes);
  const follows = scopes.map((namespace) => {
    const onListed = () => {
      unlisted.delete(namespace);
      if (unlisted.size === 0) resolveSynced();
    };
    const { signal } = ending;
    return createFollow({ kube, ref, namespace, labelSelector, store, clock, timing, signal, onListed, onError });
  });
  let running: Promise<unknown> | undefined;

  return {
    start: () => {
      running ??= Promise.all(follows.map((follow) => follow.run()));
    },
    synced,
    get hasSynced() {
      return unlisted.size === 0;
    },
    get: store.get,
    list: store.list,
    get size() {
      return store.size();
    },
    stalenessMs: () => clock.now() - Math.min(...follows.map((follow) => follow.provenAt())),
    stop: async () => {
      ending.abort();
      await running;
    },
  };
};
