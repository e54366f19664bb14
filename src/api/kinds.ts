import type { Kind } from './crd/crd.ts';
import { TargetApp } from './target-app/schema.ts';

/** Every kind that KCO reconciles. A name without an entry in `kinds` is a compile error. */
export type KindName = 'TargetApp';

const ready = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`;

/** The table of kinds, in alphabetical order. */
export const kinds = {
  TargetApp: {
    group: 'operator.kco.local',
    version: 'v1alpha1',
    scope: 'Namespaced',
    kind: 'TargetApp',
    plural: 'targetapps',
    singular: 'targetapp',
    shortNames: ['ta', 'tapp'],
    categories: ['kco'],
    column: 'tapp',
    columns: [
      { name: 'Ready', type: 'string', jsonPath: ready('status') },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
      { name: 'Pods', type: 'integer', jsonPath: '.status.pods.matched' },
      { name: 'Last Change', type: 'date', jsonPath: '.status.lastChange' },
      { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      { name: 'Endpoint', type: 'string', jsonPath: '.spec.graphqlEndpoint', priority: 1 },
      { name: 'Interval', type: 'integer', jsonPath: '.spec.pollingInterval', priority: 1 },
      { name: 'Last Poll', type: 'date', jsonPath: '.status.lastPoll', priority: 1 },
      { name: 'Watched By', type: 'string', jsonPath: '.status.watchedBy', priority: 1 },
      { name: 'Message', type: 'string', jsonPath: ready('message'), priority: 1 },
    ],
    schema: TargetApp,
  },
} satisfies Record<KindName, Kind>;
