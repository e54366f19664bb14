import { type WatchedApp, watchedApp } from '../activities/apps.ts';
import { type KindName, kinds } from '../api/kinds.ts';
import { refOf } from '../api/resource-ref.ts';
import type { ExportedFields } from '../clients/field-metrics.ts';
import type { KubeObject, ResourceRef } from '../clients/kube.ts';
import { attributesOf, standingOf } from '../workflows/search-attributes.ts';
import type { Conversation } from './conversations.ts';

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
  conversationOf(object: T): Conversation;
  /** What it exports of the state that it watches; absent where the kind has nothing of the sort. */
  exportedOf?(object: T): ExportedFields | undefined;
}

const announced = ['kco.local/poll-requested-at'];

const targetApp: Registration<WatchedApp> = {
  ref: refOf(kinds.TargetApp),
  trim: watchedApp,
  namespaceOf: ({ metadata }) => metadata.namespace,
  nameOf: ({ metadata }) => metadata.name,
  isNews: ({ metadata }, { metadata: before }) =>
    metadata.generation !== before.generation ||
    announced.some((name) => metadata.annotations?.[name] !== before.annotations?.[name]),
  isUnseen: ({ metadata, observedGeneration }) => observedGeneration !== metadata.generation,
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
