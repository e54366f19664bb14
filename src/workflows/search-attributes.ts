import { defineSearchAttributeKey } from '@temporalio/common';

/** How workflows of KCO are found in Temporal. Registered by the operator where they are missing. */
export const searchAttributes = {
  kind: defineSearchAttributeKey('KcoKind', 'KEYWORD'),
  name: defineSearchAttributeKey('KcoName', 'KEYWORD'),
  namespace: defineSearchAttributeKey('KcoNamespace', 'KEYWORD'),
  phase: defineSearchAttributeKey('KcoPhase', 'KEYWORD'),
  ready: defineSearchAttributeKey('KcoReady', 'BOOL'),
};
