import type { ActivityOptions, KindCaches } from '../../activities/index.ts';
import type { WatchedObject } from '../../activities/watched-object.ts';
import type { KindName } from '../../api/kinds.ts';
import { createKindController, type KindController, type TellingOptions } from '../kind-controller.ts';
import type { Registration } from '../registration.ts';
import type { WatchingOptions } from '../watching.ts';
import { exportTargetApps, targetApp, watchPods } from './target-app.ts';

/** The table of kinds that the controller serves. A kind without an entry is a compile error. */
export const registrations = {
  TargetApp: targetApp,
} satisfies Record<KindName, unknown>;

type Registrations = typeof registrations;
/** A controller for every kind. */
export type KindControllers = {
  [name in KindName]: Registrations[name] extends Registration<infer T extends WatchedObject>
    ? KindController<T>
    : never;
};

/** What the controller serves, and what it watches for that. */
export interface Kinds {
  controllers: KindControllers;
  pods: ReturnType<typeof watchPods>;
}

/** Creates a controller for every kind, and what is special to one. */
export function createKinds(telling: TellingOptions, watching: WatchingOptions): Kinds {
  const controllers = Object.fromEntries(
    Object.entries<Registration<WatchedObject>>(registrations as never).map(([name, registration]) => [
      name,
      createKindController(registration, telling, watching),
    ]),
  ) as unknown as KindControllers;
  exportTargetApps(controllers.TargetApp, telling.owns, watching.metrics);
  return { controllers, pods: watchPods(watching) };
}

/** What the activities know by the watches of all kinds. */
export const knownOf = (
  controllers: KindControllers,
): Pick<ActivityOptions, 'caches' | 'whenChanged' | 'whenGone'> => ({
  caches: Object.fromEntries(
    Object.entries(controllers).map(([name, { cache }]) => [name, cache]),
  ) as unknown as KindCaches,
  whenGone: controllers.TargetApp.whenGone,
  whenChanged: controllers.TargetApp.whenChanged,
});
