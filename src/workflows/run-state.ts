import type { EventRecord } from '../domain/events.ts';
import type { ObjectRef } from '../domain/refs.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import type { Presentation } from './resource-kind.ts';

/** What is written to the API server: Events, those of them that it refused before, and the status. */
export type Written = 'events' | 'refused' | 'status';

/** What one run of a resource's workflow works on. Only `memory` outlives it, and only `commit` assigns it. */
export interface RunState<M extends ResourceMemory> {
  kind: Presentation<M>;
  app: ObjectRef;
  readonly memory: M;
  /** A change was signalled, or a turn asked for, since the last turn began. */
  dirty: boolean;
  /** The object is gone, or its name belongs to another uid. */
  deleted: boolean;
  /** The last turn has seen nothing, because its observation failed for good. */
  isBlind: boolean;
  /** Turns that began in this run. */
  turnsStarted: number;
  /** Which of them was the last to end. */
  turns: number;
  /** Epoch milliseconds at which the coming (or present) turn is due. */
  due: number;
  /** Epoch milliseconds of the last plan of this run; 0 before the first one. */
  judgedAt: number;
  /** Something that held a decision back is over: it is to be judged at the next observation, whatever that finds. */
  isDueSoon: boolean;
  /** What is under way and ends in this run, by id: actions. */
  underWay: Map<string, Promise<void>>;
  /** What was decided in this run and is to stand in the status before it begins: when, and in which version. */
  announced: Map<string, { version: number; at: number }>;
  /** The run is about to hand on to the next: nothing begins any more that would have to end in it. */
  handingOn: boolean;
  /** Raised at every change of memory that the status must show; `reportedVersion` is the last one that it does. */
  version: number;
  reportedVersion: number;
  /** What the turn that is open tells: in which version, the Events, and the digest of the status if it has one. */
  telling: { version: number; batch: EventRecord[]; digest?: string } | undefined;
  /** What is being written to the API server: none waits for another. */
  writing: Set<Written>;
  /** Ids of Events that the API server did not take and may take later. */
  refused: Set<string>;
  /** Epoch milliseconds at which it took the last one. */
  recordedAt: number;
  /** Names of the search attributes that Temporal has; absent: all. */
  attributes?: string[];
}

/** A run whose first turn is due at once: whatever was signalled to the run before it is covered by that. */
export const newRun = <M extends ResourceMemory>(
  kind: Presentation<M>,
  app: ObjectRef,
  memory: M,
  attributes?: string[],
): RunState<M> => ({
  kind,
  app,
  memory,
  dirty: true,
  deleted: false,
  isBlind: false,
  turnsStarted: 0,
  turns: 0,
  due: Date.now(),
  judgedAt: 0,
  isDueSoon: false,
  underWay: new Map(),
  announced: new Map(),
  handingOn: false,
  version: 0,
  reportedVersion: 0,
  telling: undefined,
  writing: new Set(),
  refused: new Set(),
  recordedAt: 0,
  ...(attributes !== undefined && { attributes }),
});
