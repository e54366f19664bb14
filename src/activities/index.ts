import { type KindName, kinds } from '../api/kinds.ts';
import type { KubeObject } from '../clients/kubernetes/client.ts';
import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import { kindAccess } from './kind-access.ts';
import { createObjectFinder, type ObjectFinder } from './object-finder.ts';
import { createRecordEvents } from './record-events.ts';
import { createReportStatus } from './report-status.ts';
import { createResourceActivities, type ResourceActivitiesOptions } from './resource-activities.ts';
import { createTargetAppActivities, type TargetAppActivitiesOptions } from './target-app/index.ts';
import { type WatchedApp, watchedApp } from './target-app/watched-app.ts';
import { createTell } from './tell.ts';
import { type WatchedObject, watchedObject } from './watched-object.ts';

/** The watch caches of all kinds. */
export type KindCaches = Record<KindName, Informer<WatchedObject>> & { TargetApp: Informer<WatchedApp> };

/** What activities are made of. */
export interface ActivityOptions
  extends Omit<ResourceActivitiesOptions, 'finderOf' | 'kube' | 'recordEvents' | 'reportStatus'>,
    Omit<TargetAppActivitiesOptions, 'finder' | 'tell'> {
  caches: KindCaches;
  /** Namespaces whose objects are looked after; empty: all. What a workflow asks for elsewhere is not done. */
  namespaces: readonly string[];
}

/** Two tables as one; a name that both have does not compile. */
const joined = <A extends object, B extends object>(one: A, other: B & { [name in keyof A]?: never }): A & B => ({
  ...one,
  ...other,
});

type Finders = Record<KindName, ObjectFinder<WatchedObject>> & { TargetApp: ObjectFinder<WatchedApp> };

/** The objects of every kind, by its name. */
function findersOf({ clients: { kube }, caches, namespaces }: ActivityOptions): Finders {
  const finderFor = <T extends WatchedObject>(
    kind: KindName,
    cache: Pick<Informer<T>, 'get'>,
    transform: (object: KubeObject) => T,
  ) => createObjectFinder({ cache, kube, ref: kindAccess(kind).ref, transform, namespaces });
  const names = Object.keys(kinds) as KindName[];
  const general = names.map((name) => [name, finderFor(name, caches[name], watchedObject)]);
  return {
    ...(Object.fromEntries(general) as Finders),
    TargetApp: finderFor('TargetApp', caches.TargetApp, watchedApp),
  };
}

/** All activities of the worker, by the names under which they stand in a history. */
export function createActivities(options: ActivityOptions) {
  const finders = findersOf(options);
  const finderOf = (kind: string): ObjectFinder<WatchedObject> => finders[kindAccess(kind).ref.kind as KindName];
  const { kube } = options.clients;
  const writes = {
    recordEvents: createRecordEvents({ ...options, kube, kindAccess }),
    reportStatus: createReportStatus({ ...options, kube, kindAccess }),
  };
  return joined(
    createResourceActivities({ ...options, ...writes, kube, finderOf }),
    createTargetAppActivities({ ...options, finder: finders.TargetApp, tell: createTell({ ...options, ...writes }) }),
  );
}

/** What workflows may call. */
export type Activities = ReturnType<typeof createActivities>;
