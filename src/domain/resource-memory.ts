import type { EventMemory } from './outbox.ts';
import type { StatusCondition } from './status-conditions.ts';

/** What the workflow of every kind remembers; plain JSON, handed on at continue-as-new. A kind adds its own. */
export interface ResourceMemory extends EventMemory {
  conditions: Record<string, StatusCondition>;
  /** One word for where the object stands, as it was last told, so that a change of it is an Event. */
  phase?: string;
  /** Digest and time (epoch milliseconds) of the last status that was written. */
  reported?: { digest: string; at: number };
  /** Suspended by an update of the workflow, beside what the spec says. */
  suspendedByUpdate?: boolean;
}

/** The memory of a workflow that has seen nothing yet. */
export const newResourceMemory = (): Pick<ResourceMemory, 'conditions' | 'events' | 'outbox'> => ({
  events: {},
  outbox: [],
  conditions: {},
});
