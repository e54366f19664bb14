import { isEnding, pollRequestOf, type WatchedApp, watchedApp } from '../../activities/target-app/reader.ts';
import { kinds } from '../../api/kinds.ts';
import { refOf } from '../../api/resource-ref.ts';
import { attributesOf, standingOf } from '../../workflows/search-attributes.ts';
import type { Registration } from '../registration.ts';

/** Whether a poll was asked for that no status tells of. */
const isPollUnanswered = (app: WatchedApp): boolean => {
  const requested = pollRequestOf(app);
  return requested !== undefined && requested !== app.pollRequestedAt;
};

export const targetApp: Registration<WatchedApp> = {
  ref: refOf(kinds.TargetApp),
  transform: watchedApp,
  namespaceOf: ({ metadata }) => metadata.namespace,
  nameOf: ({ metadata }) => metadata.name,
  needsReconcile: (app, before) =>
    app.metadata.generation !== before.metadata.generation ||
    isEnding(app) !== isEnding(before) ||
    pollRequestOf(app) !== pollRequestOf(before),
  isUnobserved: (app) => app.observedGeneration !== app.metadata.generation || isPollUnanswered(app),
  isTerminating: isEnding,
  exportedOf: ({ exported }) => exported,
  workflowOf: ({ metadata: { namespace, name, uid } }) => ({
    type: 'targetApp',
    workflowId: `targetapp/${namespace}/${name}/${uid}`,
    input: { app: { namespace, name, uid } },
    summary: `TargetApp **${namespace}/${name}**`,
    attributes: [...standingOf('Initializing', false), ...attributesOf(kinds.TargetApp.kind, { namespace, name, uid })],
  }),
};
