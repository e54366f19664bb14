import { setTimeout as sleep } from 'node:timers/promises';
import type { Kube, KubeObject, ResourceRef } from '../types.ts';
import {
  createReflector,
  type Reflector,
  type ReflectorOptions,
  type WatchClock,
  type WatchTiming,
} from './reflector.ts';
import { createStore, type StoreOptions, type WatchEventType } from './store.ts';

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

/** Who follows each namespace; all of them where it is undefined. */
type Reflectors = Map<string | undefined, Reflector>;

const hasListed = (reflectors: Reflectors, namespace?: string): boolean => {
  if (namespace === undefined) return [...reflectors.values()].every((each) => each.hasListed());
  return (reflectors.get(namespace) ?? reflectors.get(undefined))?.hasListed() ?? false;
};

const scopeOf = (namespace: string | undefined, reflector: Reflector, now: number): WatchScope => {
  const error = reflector.trouble();
  return {
    ...(namespace !== undefined && { namespace }),
    hasSynced: reflector.hasListed(),
    stalenessMs: now - reflector.provenAt(),
    ...(error !== undefined && { trouble: error instanceof Error ? error.message : String(error) }),
  };
};

/** One reflector for each namespace that is watched, all of which fill one store. */
const createReflectors = <T>(
  options: InformerOptions<T>,
  common: Pick<ReflectorOptions, 'clock' | 'signal' | 'store'>,
  onListed: () => void,
): Reflectors => {
  const { kube, ref, namespaces = [], labelSelector } = options;
  const timing = { ...defaultTiming, ...options.timing };
  const covered = namespaces.length > 0 ? [...new Set(namespaces)] : [undefined];
  const create = (namespace: string | undefined): Reflector =>
    createReflector({
      ...common,
      ...{ kube, ref, labelSelector, namespace, timing, onListed },
      onReturn: () => options.onReturn?.(namespace),
      onError: (error, waitMs) => options.onError?.(error, waitMs, namespace),
    });
  return new Map(covered.map((namespace) => [namespace, create(namespace)]));
};

/** The listener, whose faults must not look like those of the connection. */
const guarded =
  <T>({ onChange, onError }: InformerOptions<T>): StoreOptions<T>['onChange'] =>
  (event, object, previous) => {
    try {
      onChange?.(event, object, previous);
    } catch (error) {
      onError?.(error, 0);
    }
  };

/**
 * An empty cache that does nothing before `start`. It outlives every failure: an error waits and tries again, a version
 * that expired is listed anew, a list that failed deletes nothing, and a type that is absent keeps what was known.
 */
export const createInformer = <T>(options: InformerOptions<T>): Informer<T> => {
  const { transform, clock = systemClock } = options;
  const ending = new AbortController();
  const { promise: synced, resolve: resolveSynced } = Promise.withResolvers<void>();
  const store = createStore<T>({ transform, onChange: guarded(options) });
  const reflectors = createReflectors(options, { clock, store, signal: ending.signal }, () => {
    if (hasListed(reflectors)) resolveSynced();
  });
  let running: Promise<unknown> | undefined;

  return {
    start: () => {
      running ??= Promise.all([...reflectors.values()].map(({ run }) => run()));
    },
    synced,
    hasSynced: (namespace) => hasListed(reflectors, namespace),
    scopes: () => [...reflectors].map(([namespace, reflector]) => scopeOf(namespace, reflector, clock.now())),
    get: store.get,
    list: store.list,
    get size() {
      return store.size();
    },
    stalenessMs: () => clock.now() - Math.min(...[...reflectors.values()].map(({ provenAt }) => provenAt())),
    stop: async () => {
      ending.abort();
      await running;
    },
  };
};
