import type { JsonObject } from './json.ts';
import type { WorkflowRef } from './refs.ts';
import type { ResourceMemory } from './resource-memory.ts';
import { conditionsStatus } from './status-conditions.ts';

/** What a status is composed of; `now` is epoch milliseconds. */
export interface StatusFacts {
  /** Of the spec that it is about; absent before the first observation. */
  generation: number | undefined;
  phase: string;
  workflow: WorkflowRef;
  now: number;
}

/** What the status of every kind says. `memory.conditions` must be up to date. */
export const resourceStatus = (
  { conditions, reported }: ResourceMemory,
  { generation, phase, workflow, now }: StatusFacts,
): JsonObject => ({
  ...(generation !== undefined && { observedGeneration: generation }),
  // Grows from one status to the next, also where two are composed within a millisecond.
  revision: Math.max(now, (reported?.at ?? 0) + 1),
  phase,
  conditions: conditionsStatus(conditions, generation),
  workflow: { ...workflow },
});
