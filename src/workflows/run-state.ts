import type { ObjectRef } from '../domain/refs.ts';
import type { Memory } from '../domain/target-app/memory.ts';

/** What is written to the API server: Events, those of them that it refused before, and the status. */
export type Written = 'events' | 'refused' | 'status';

/** What one run of a TargetApp's workflow works on. Only `memory` outlives it. */
export interface RunState {
  app: ObjectRef;
  memory: Memory;
  /** Somebody said "look again" since the last look began. */
  dirty: boolean;
  /** The object is gone, or its name belongs to another uid. */
  deleted: boolean;
  /** Looks that began in this run. */
  turnsStarted: number;
  /** Which of them was the last to end. */
  turns: number;
  /** Epoch milliseconds at which the coming (or present) poll is due. */
  due: number;
  /** Actions under way, by action id. */
  actions: Map<string, Promise<void>>;
  /** Actions that were decided in this run: when, and the version that the status must show before they begin. */
  decidedAt: Map<string, { version: number; at: number }>;
  /** The run is about to hand on to the next: no action begins any more. */
  handingOn: boolean;
  /** Raised at every change of memory that the status must show; `reportedVersion` is the last one that it does. */
  version: number;
  reportedVersion: number;
  /** What is being written to the API server: none waits for another. */
  writing: Set<Written>;
  /** Ids of Events that the API server did not take and may take later. */
  refused: Set<string>;
  /** Epoch milliseconds at which it took the last one. */
  recordedAt: number;
  /** Names of the search attributes that Temporal has; absent: all. */
  attributes?: string[];
}

/** A run that looks at once: whatever was said to the run before it is covered by that. */
export const begin = (app: ObjectRef, memory: Memory, attributes?: string[]): RunState => ({
  app,
  memory,
  dirty: true,
  deleted: false,
  turnsStarted: 0,
  turns: 0,
  due: Date.now(),
  actions: new Map(),
  decidedAt: new Map(),
  handingOn: false,
  version: 0,
  reportedVersion: 0,
  writing: new Set(),
  refused: new Set(),
  recordedAt: 0,
  ...(attributes !== undefined && { attributes }),
});
