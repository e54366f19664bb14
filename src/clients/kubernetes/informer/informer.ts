import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube, KubeObject, ResourceRef } from '../types.ts';
import { createReflector, type Reflector, type WatchClock, type WatchTiming } from './reflector.ts';
import { createStore, type WatchEventType } from './store.ts';

export type { WatchClock, WatchTiming } from './reflector.ts';
export type { WatchEventType } from './store.ts';

export interface InformerOptions<T> {
  kube: Pick<Kube, 'list' | 'watch'>;
  ref: ResourceRef;
  /** One list and watch per namespace; all namespaces in one when empty or absent. */
  namespaces?: string[];
  labelSelector?: string;
  /** What is kept of an object; everything else is garbage at once. */
  transform(object: KubeObject): T;
  /**
   * Told of every change after it is in the copy, in order per object. After a relist the difference (by uid) arrives
   * here as well, so `deleted` means "the API server no longer lists it": who would end something because of it should
   * GET the object first, since a list may be wrongly empty.
   */
  onChange?(event: WatchEventType, object: T, previous?: T): void;
  /** Told of every failure that is being survived, for logs and metrics; `namespace` is absent where all are watched in one. */
  onError?(error: unknown, waitMs: number, namespace?: string): void;
  /** Told when what had failed is watched again. */
  onReturn?(namespace?: string): void;
  clock?: WatchClock;
  timing?: Partial<WatchTiming>;
}

/** How one LIST and WATCH of a cache stands: that of a namespace, or of all where `namespace` is absent. */
export interface WatchScope {
  namespace?: string;
  /** Whether its objects were listed once. */
  hasSynced: boolean;
  /** Milliseconds since the API server last proved that its part of the copy is current. Infinity before. */
  stalenessMs: number;
  /** Why it is neither listed nor watched at the moment; absent while all is well. */
  trouble?: string;
}

/** A local copy of the objects of one type, kept up to date by LIST and WATCH. */
export interface Informer<T> {
  /** Begins; does not wait. It retries for ever, so nothing rejects. */
  start(): void;
  /** Resolves when everything was listed once. */
  readonly synced: Promise<void>;
  /** Whether everything was listed once that is watched of a namespace; of all of them without one. */
  hasSynced(namespace?: string): boolean;
  /** Each by itself: what cannot be watched in one namespace takes nothing from the others. */
  scopes(): WatchScope[];
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
export const createInformer = <T>(options: InformerOptions<T>): Informer<T> => {
  const { kube, ref, namespaces = [], labelSelector, transform: trim, clock = systemClock } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const ending = new AbortController();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  const onError = (error: unknown, waitMs: number, namespace?: string) => options.onError?.(error, waitMs, namespace);
  const onChange = (event: WatchEventType, object: T, previous?: T) => {
    try {
      options.onChange?.(event, object, previous);
    } catch (error) {
      // A fault of who listens must not look like one of the connection.
      onError(error, 0);
    }
  };

  const store = createStore<T>({ transform: trim, onChange });
  const follow = (namespace: string | undefined): Reflector => {
    const { signal } = ending;
    const onListed = () => {
      if (hasSynced()) resolveSynced();
    };
    const onFailure = (error: unknown, waitMs: number) => onError(error, waitMs, namespace);
    const onReturn = () => options.onReturn?.(namespace);
    const its = { namespace, labelSelector, signal, onListed, onReturn, onError: onFailure };
    return createReflector({ kube, ref, store, clock, timing, ...its });
  };
  const covered: (string | undefined)[] = namespaces.length > 0 ? [...new Set(namespaces)] : [undefined];
  const follows = new Map(covered.map((namespace) => [namespace, follow(namespace)]));
  const hasSynced = (namespace?: string): boolean => {
    if (namespace === undefined) return [...follows.values()].every((each) => each.hasListed());
    return (follows.get(namespace) ?? follows.get(undefined))?.hasListed() ?? false;
  };
  const scopeOf = ([namespace, { hasListed, provenAt, trouble }]: [string | undefined, Reflector]): WatchScope => {
    const error = trouble();
    return {
      ...(namespace !== undefined && { namespace }),
      hasSynced: hasListed(),
      stalenessMs: clock.now() - provenAt(),
      ...(error !== undefined && { trouble: error instanceof Error ? error.message : String(error) }),
    };
  };
  let running: Promise<unknown> | undefined;

  return {
    start: () => {
      running ??= Promise.all([...follows.values()].map(({ run }) => run()));
    },
    synced,
    hasSynced,
    scopes: () => [...follows].map(scopeOf),
    get: store.get,
    list: store.list,
    get size() {
      return store.size();
    },
    stalenessMs: () => clock.now() - Math.min(...[...follows.values()].map(({ provenAt }) => provenAt())),
    stop: async () => {
      ending.abort();
      await running;
    },
  };
};
