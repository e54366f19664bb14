import { createPodIndex, type WatchedPods } from '../../activities/target-app/pod-index.ts';
import { type PodView, podView } from '../../activities/target-app/pod-view.ts';
import { pollRequestOf, type WatchedApp, watchedApp } from '../../activities/target-app/watched-app.ts';
import { kinds } from '../../api/kinds.ts';
import type { Informer } from '../../clients/kubernetes/informer/informer.ts';
import { pods } from '../../clients/kubernetes/pods.ts';
import type { Metrics } from '../../telemetry/metrics/index.ts';
import type { FieldsOfApp } from '../../telemetry/metrics/target-app/exported-fields.ts';
import type { KindController } from '../kind-controller.ts';
import { type Registration, registrationOf } from '../registration.ts';
import { createInformerFor, type WatchingOptions } from '../watching.ts';

/** Whether a poll was asked for that no status tells of. */
const isPollUnanswered = (app: WatchedApp): boolean => {
  const requested = pollRequestOf(app);
  return requested !== undefined && requested !== app.pollRequestedAt;
};

const general = registrationOf(kinds.TargetApp);

export const targetApp: Registration<WatchedApp> = {
  ...general,
  transform: watchedApp,
  needsReconcile: (app, before) => general.needsReconcile(app, before) || pollRequestOf(app) !== pollRequestOf(before),
  isUnobserved: (app) => general.isUnobserved(app) || isPollUnanswered(app),
};

/**
 * Exports the fields that TargetApps ask for, from the replica that looks after each, so that each series stands once; and takes
 * the series of a TargetApp with it when it goes.
 */
export function exportTargetApps(
  { present, whenGone }: Pick<KindController<WatchedApp>, 'present' | 'whenGone'>,
  owns: (uid: string) => boolean,
  metrics: Pick<Metrics, 'forget' | 'readExportedFields'>,
): void {
  whenGone(({ metadata: { namespace, name } }) => metrics.forget(namespace, name));
  const fieldsOf = ({ metadata: { namespace, name, uid }, exported }: WatchedApp): FieldsOfApp[] =>
    exported === undefined || !owns(uid) ? [] : [{ namespace, tapp: name, ...exported }];
  metrics.readExportedFields(() => present().flatMap(fieldsOf));
}

/** The pods that TargetApps select, and their actions act on: the watch cache, and what activities ask of it. */
export function watchPods(watching: WatchingOptions): { cache: Informer<PodView>; watched: WatchedPods } {
  const { onChange, ...index } = createPodIndex();
  const cache = createInformerFor<PodView>(watching, { ref: pods, transform: podView, onChange });
  return { cache, watched: { ...index, hasSynced: cache.hasSynced, scopes: cache.scopes } };
}
