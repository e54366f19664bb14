import type { Kube } from '../clients/kubernetes/client.ts';
import { createInformer, type Informer, type InformerOptions } from '../clients/kubernetes/informer/informer.ts';
import type { WorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { Log } from '../telemetry/logger.ts';
import type { FieldsOfApp } from '../telemetry/metrics/exported-fields.ts';
import type { Metrics } from '../telemetry/metrics/operator.ts';
import { type Controller, createController } from './controller.ts';
import type { Registration } from './registration.ts';

/** What watching needs. */
export interface WatchingOptions {
  kube: Kube;
  /** All when empty. */
  namespaces: string[];
  metrics: Metrics;
  log: Log;
}

/** A watch cache whose troubles are counted and logged, and whose staleness is a metric. */
export function createInformerFor<T>(
  options: WatchingOptions,
  about: Pick<InformerOptions<T>, 'ref' | 'transform' | 'onChange'>,
): Informer<T> {
  const { kube, namespaces, metrics, log } = options;
  const resource = about.ref.plural;
  const cache = createInformer<T>({
    kube,
    namespaces,
    ...about,
    onError: (error, waitMs, namespace) => {
      metrics.failed({ category: 'kubernetes' });
      log.warning('watch failed, retrying', { resource, namespace, retry_ms: Math.round(waitMs), error });
    },
    onReturn: (namespace) => log.info('watch resumed', { resource, namespace }),
  });
  metrics.readWatches(resource, cache.scopes);
  return cache;
}

/** One kind as the controller serves it. */
export interface KindController<T> {
  registration: Registration<T>;
  cache: Informer<T>;
  controller: Controller<T>;
  /** How many objects are looked after, by namespace. */
  counts(): Map<string, number>;
  /** Calls the listener with each object that goes: when its deletion begins, or is seen. */
  whenGone(listener: (object: T) => void): void;
  /** What the objects export of the states that they watch; nothing on a follower, so that each series is told once. */
  exported(): FieldsOfApp[];
}

/** Watches the objects of one kind and keeps their workflows. */
export function createKindController<T>(
  registration: Registration<T>,
  starter: WorkflowStarter,
  options: WatchingOptions,
): KindController<T> {
  const { metrics, log } = options;
  const listeners: ((object: T) => void)[] = [];
  const controller = createController<T>({ registration, starter, metrics, log, all: () => cache.list() });
  const cache = createInformerFor<T>(options, {
    ref: registration.ref,
    transform: registration.transform,
    onChange: (event, object, previous) => {
      controller.onChange(event, object, previous);
      if (event !== 'deleted' && !registration.isTerminating(object)) return;
      metrics.forget(registration.namespaceOf(object), registration.nameOf(object));
      for (const listener of listeners) listener(object);
    },
  });
  const present = (): T[] => cache.list().filter((object) => !registration.isTerminating(object));
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
