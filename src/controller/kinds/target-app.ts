import { isEnding, pollRequestOf, type WatchedApp, watchedApp } from '../../activities/target-app/reader.ts';
import { type KindName, kinds } from '../../api/kinds.ts';
import { refOf } from '../../api/resource-ref.ts';
import type { KubeObject, ResourceRef } from '../../clients/kubernetes/client.ts';
import type { Conversation } from '../../clients/temporal/workflow-starter.ts';
import type { ExportedFields } from '../../telemetry/metrics/target-app.ts';
import { attributesOf, standingOf } from '../../workflows/search-attributes.ts';

/** How the controller serves one kind: which changes of an object are worth a word, and to whom. */
export interface Registration<T> {
  /** How its objects are reached. */
  ref: ResourceRef;
  /** What is kept of an object in the watch cache. */
  trim(object: KubeObject): T;
  namespaceOf(object: T): string;
  nameOf(object: T): string;
  /** Whether a change is one of what the workflow reads; a status that KCO wrote itself is not. */
  isNews(object: T, previous: T): boolean;
  /** Whether the workflow may not know this version yet, though no change was seen (the controller was away). */
  isUnseen(object: T): boolean;
  /** Whether its deletion has begun, which is all that a workflow needs to know: it ends, and none is started. */
  isEnding(object: T): boolean;
  conversationOf(object: T): Conversation;
  /** What it exports of the state that it watches; absent where the kind has nothing of the sort. */
  exportedOf?(object: T): ExportedFields | undefined;
}

/** Whether a poll was asked for that no status tells of. */
const isPollUnanswered = (app: WatchedApp): boolean => {
  const requested = pollRequestOf(app);
  return requested !== undefined && requested !== app.pollRequestedAt;
};

const targetApp: Registration<WatchedApp> = {
  ref: refOf(kinds.TargetApp),
  trim: watchedApp,
  namespaceOf: ({ metadata }) => metadata.namespace,
  nameOf: ({ metadata }) => metadata.name,
  isNews: (app, before) =>
    app.metadata.generation !== before.metadata.generation ||
    isEnding(app) !== isEnding(before) ||
    pollRequestOf(app) !== pollRequestOf(before),
  isUnseen: (app) => app.observedGeneration !== app.metadata.generation || isPollUnanswered(app),
  isEnding,
  exportedOf: ({ exported }) => exported,
  conversationOf: ({ metadata: { namespace, name, uid } }) => ({
    type: 'targetApp',
    workflowId: `targetapp/${namespace}/${name}/${uid}`,
    input: { app: { namespace, name, uid } },
    summary: `TargetApp **${namespace}/${name}**`,
    attributes: [...standingOf('Initializing', false), ...attributesOf(kinds.TargetApp.kind, { namespace, name, uid })],
  }),
};

/** The table of kinds that the controller serves. A kind without an entry is a compile error. */
export const registrations = { TargetApp: targetApp } satisfies Record<KindName, unknown>;
