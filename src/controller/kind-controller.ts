import type { Lookouts } from '../activities/lookouts.ts';
import { isTerminating, type WatchedObject } from '../activities/watched-object.ts';
import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import { type Controller, type ControllerOptions, createController } from './controller.ts';
import type { Registration } from './registration.ts';
import { createInformerFor, type WatchingOptions } from './watching.ts';

/** One kind as the controller serves it. */
export interface KindController<T extends WatchedObject> {
  registration: Registration<T>;
  cache: Informer<T>;
  controller: Controller<T>;
  /** The objects whose deletion has not begun. */
  present(): T[];
  /** Calls the listener with each object that goes: when its deletion begins, or is seen. */
  whenGone(listener: (object: T) => void): void;
  /** Calls the listener with each object that comes, changes or goes. */
  whenChanged(listener: (object: T) => void): void;
}

/** How workflows are told, and of which objects. */
export type TellingOptions = Pick<ControllerOptions<WatchedObject>, 'heldTurns' | 'openTurns' | 'owns' | 'starter'> & {
  lookouts: Pick<Lookouts, 'post'>;
};

/** Watches the objects of one kind and keeps their workflows. */
export function createKindController<T extends WatchedObject>(
  registration: Registration<T>,
  { lookouts, ...telling }: TellingOptions,
  options: WatchingOptions,
): KindController<T> {
  const { metrics, log } = options;
  const { ref, transform } = registration;
  const gone: ((object: T) => void)[] = [];
  const changed: ((object: T) => void)[] = [];
  const controller = createController<T>({
    ...{ registration, ...telling, metrics, log },
    postLookout: (app, onNews) => lookouts.post(ref.kind, app, onNews),
    all: () => cache.list(),
  });
  const cache = createInformerFor<T>(options, {
    ref,
    transform,
    onChange: (event, object, previous) => {
      controller.onChange(event, object, previous);
      if (event === 'deleted' || isTerminating(object)) for (const listener of gone) listener(object);
      for (const listener of changed) listener(object);
    },
  });
  return {
    registration,
    cache,
    controller,
    present: () => cache.list().filter((object) => !isTerminating(object)),
    whenGone: (listener) => void gone.push(listener),
    whenChanged: (listener) => void changed.push(listener),
  };
}
