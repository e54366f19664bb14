import type { Kube } from '../clients/kubernetes/client.ts';
import { createWatchCache, type WatchCache, type WatchCacheOptions } from '../clients/kubernetes/informer/informer.ts';
import type { Conversations } from '../clients/temporal/workflow-starter.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/operator.ts';
import type { FieldsOfApp } from '../telemetry/metrics/target-app.ts';
import { type Controller, createController } from './controller.ts';
import type { Registration } from './kinds/target-app.ts';

/** What watching needs. */
export interface WatchingOptions {
  kube: Kube;
  /** All when empty. */
  namespaces: string[];
  metrics: Metrics;
  log: Log;
}

/** A watch cache whose troubles are counted and logged, and whose staleness is a metric. */
export function watched<T>(
  options: WatchingOptions,
  about: Pick<WatchCacheOptions<T>, 'ref' | 'trim' | 'onChange'>,
): WatchCache<T> {
  const { kube, namespaces, metrics, log } = options;
  const resource = about.ref.plural;
  const cache = createWatchCache<T>({
    kube,
    namespaces,
    ...about,
    onError: (error, waitMs, namespace) => {
      metrics.failed({ category: 'kubernetes' });
      log.warning('watch interrupted', { resource, namespace, retry_ms: Math.round(waitMs), error });
    },
    onReturn: (namespace) => log.info('watch goes on', { resource, namespace }),
  });
  metrics.readWatches(resource, cache.scopes);
  return cache;
}

/** One kind as the controller serves it. */
export interface Served<T> {
  registration: Registration<T>;
  cache: WatchCache<T>;
  controller: Controller<T>;
  /** How many objects are looked after, by namespace. */
  counts(): Map<string, number>;
  /** Calls the listener with each object that goes: when its deletion begins, or is seen. */
  whenGone(listener: (object: T) => void): void;
  /** What the objects export of the states that they watch; nothing on a follower, so that each series is told once. */
  exported(): FieldsOfApp[];
}

/** Watches the objects of one kind and keeps their workflows. */
export function serve<T>(
  registration: Registration<T>,
  conversations: Conversations,
  options: WatchingOptions,
): Served<T> {
  const { metrics, log } = options;
  const listeners: ((object: T) => void)[] = [];
  const controller = createController<T>({ registration, conversations, metrics, log, all: () => cache.list() });
  const cache = watched<T>(options, {
    ref: registration.ref,
    trim: registration.trim,
    onChange: (event, object, previous) => {
      controller.onChange(event, object, previous);
      if (event !== 'deleted' && !registration.isEnding(object)) return;
      metrics.forget(registration.namespaceOf(object), registration.nameOf(object));
      for (const listener of listeners) listener(object);
    },
  });
  const present = (): T[] => cache.list().filter((object) => !registration.isEnding(object));
  const counts = (): Map<string, number> => {
    const found = new Map<string, number>();
    for (const object of present()) {
      const namespace = registration.namespaceOf(object);
      found.set(namespace, (found.get(namespace) ?? 0) + 1);
    }
    return found;
  };
  const exported = (): FieldsOfApp[] => {
    if (!controller.isLeading) return [];
    return present().flatMap((object) => {
      const fields = registration.exportedOf?.(object);
      if (fields === undefined) return [];
      return [{ namespace: registration.namespaceOf(object), tapp: registration.nameOf(object), ...fields }];
    });
  };
  return { registration, cache, controller, counts, exported, whenGone: (listener) => void listeners.push(listener) };
}
