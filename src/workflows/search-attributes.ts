import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import type { ObjectRef } from '../domain/refs.ts';

/**
 * How workflows of KCO are found in Temporal, those first that are of most use where not all can be had: a namespace holds ten of
 * the type Keyword. Registered by the operator where they are missing.
 */
export const searchAttributes = {
  phase: defineSearchAttributeKey('KcoPhase', 'KEYWORD'),
  ready: defineSearchAttributeKey('KcoReady', 'BOOL'),
  namespace: defineSearchAttributeKey('KcoNamespace', 'KEYWORD'),
  name: defineSearchAttributeKey('KcoName', 'KEYWORD'),
  kind: defineSearchAttributeKey('KcoKind', 'KEYWORD'),
};

/** What they say of how it stands with a custom resource. */
export const standingOf = (phase: string, ready: boolean): SearchAttributePair[] => [
  { key: searchAttributes.phase, value: phase },
  { key: searchAttributes.ready, value: ready },
];

/** What they say of which custom resource a workflow belongs to. */
export const attributesOf = (kind: string, app: ObjectRef): SearchAttributePair[] => [
  { key: searchAttributes.namespace, value: app.namespace },
  { key: searchAttributes.name, value: app.name },
  { key: searchAttributes.kind, value: kind },
];
