import type { KindName } from '../api/kinds.ts';
import type { EventDraft } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import type { WorkflowRef } from '../domain/refs.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import type { ConditionTable } from '../domain/status-conditions.ts';
import type { TurnSummary } from './messages.ts';
import type { RunState } from './run-state.ts';

/** How a kind shows what its workflow remembers. Pure; times are epoch milliseconds. */
export interface Presentation<M extends ResourceMemory> {
  /** As in the custom resource. */
  kind: KindName;
  phaseOf(memory: M, now: number): NonNullable<M['phase']>;
  /** The Events that the change to that phase is worth; `memory.phase` is the one before. */
  phaseEvents(memory: M, phase: NonNullable<M['phase']>): EventDraft[];
  /** By type; each keeps by itself since when its status is that. */
  conditions: ConditionTable<M>;
  /** The status as it is written; `memory.conditions` is up to date. */
  statusOf(memory: M, workflow: WorkflowRef, now: number): JsonObject;
  /** After how many milliseconds a status that says nothing new is written again; undefined: never. */
  heartbeatMs(memory: M): number | undefined;
  isSuspended(memory: M, now: number): boolean;
  /** What a turn saw, as the answer of an update that asked for one. */
  summaryOf(memory: M): TurnSummary;
  /** What the Web UI shows of it, phase and conditions being up to date: Markdown, in which a list needs an empty line before it. */
  detailsOf(memory: M, now: number, uid: string): string;
}

/** What every observation may say. */
export interface Observed {
  /** The object is gone, or its name belongs to another uid. */
  deleted?: true;
  /** KCO's finalizer is on it. */
  isHeld?: true;
  /** Its deletion has begun, and waits for that finalizer. */
  isTerminating?: true;
  /** Names of the search attributes that Temporal has, when they are not those that the workflow knows; null: all. */
  attributes?: string[] | null;
}

/** An observation of an object that is there. */
export type There<O> = Exclude<O, { deleted: true }>;

/** What follows from an observation. */
export interface Planned<M> {
  memory: M;
  /** Whether the status may have to say something else now. */
  isNews: boolean;
  /** Whether another observation is wanted at once: this one could not be made in full. */
  again?: true;
  /** Called when the memory is the present one. */
  follow?(): void;
}

/** What is special to a kind; the loop is `resourceWorkflow`. */
export interface ResourceKind<M extends ResourceMemory, O extends Observed> extends Presentation<M> {
  newMemory(): M;
  /** The memory cut to what Temporal takes as the input of the next run. */
  fitted(memory: M): M;
  /**
   * Reads the world, or waits until there is something to tell of it. Undefined, or a rejection, is a turn that has seen nothing.
   *
   * @param fresh a change was signalled: what a cache knows may be older
   * @param first what the workflow began with: its first observation, already made
   */
  observe(run: RunState<M>, fresh: boolean, first?: O): Promise<O | undefined>;
  /** Decides, at once: while it waited for something the memory could become another one. Nothing but the memory is changed. */
  plan(run: RunState<M>, seen: There<O>, now: number): Planned<M>;
  /** Whether an observation lasts until there is something to tell, so that each is worth its place in a history; absent: no. */
  isByTurns?(memory: M): boolean;
  /** When time alone may change a verdict. */
  nextTurnAt(run: RunState<M>, now: number): number;
  /** What runs beside the turns; resolves when the object is gone and nothing of it is left to begin. */
  background?(run: RunState<M>): Promise<void>;
  /**
   * Cleans up after an object whose deletion has begun; what only its owner references bind to it goes by itself. With this the
   * object gets KCO's finalizer before anything is done for it, and loses it when this has resolved.
   */
  finalize?(run: RunState<M>): Promise<void>;
  /** Sets the handlers of updates that no other kind has. */
  handle?(run: RunState<M>): void;
}
