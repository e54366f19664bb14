import type { JsonObject } from './json.ts';
import { iso } from './seconds.ts';
import { legible } from './text.ts';

/** A status condition as it is now, without since when. */
export type ConditionNow = Omit<StatusCondition, 'since'>;

/** A status condition, with a message that fits. */
export const condition = (status: ConditionNow['status'], reason: string, message: string): ConditionNow => ({
  status,
  reason,
  message: legible(message, 1024),
});

/** A status condition as it was last reported. */
export interface StatusCondition {
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  /** Epoch milliseconds of the last change of `status`. */
  since: number;
}

interface Judging<M> {
  judge(memory: M, now: number): ConditionNow | undefined;
}

/** The conditions that a kind owns, by type: what each says now; undefined where it has nothing to say. Pure. */
export type ConditionTable<M> = Readonly<Record<string, Judging<M>['judge']>>;

const isSame = (a: StatusCondition | undefined, b: StatusCondition | undefined): boolean =>
  a?.status === b?.status && a?.reason === b?.reason && a?.message === b?.message;

/** The conditions as they are now, each with the time since when its status has been that; the same object where none is another. */
export function conditionsIn<M extends { conditions: Record<string, StatusCondition> }>(
  table: ConditionTable<M>,
  memory: M,
  now: number,
): Record<string, StatusCondition> {
  const conditions: Record<string, StatusCondition> = {};
  for (const [type, judge] of Object.entries(table)) {
    const next = judge(memory, now);
    if (next === undefined) continue;
    const before = memory.conditions[type];
    conditions[type] = { ...next, since: before?.status === next.status ? before.since : now };
  }
  const types = new Set([...Object.keys(memory.conditions), ...Object.keys(conditions)]);
  return [...types].every((type) => isSame(memory.conditions[type], conditions[type])) ? memory.conditions : conditions;
}

/** The conditions as they stand in a status. `generation` is that of the spec which they were judged by, if any was. */
export const conditionsStatus = (
  conditions: Record<string, StatusCondition>,
  generation: number | undefined,
): JsonObject[] =>
  Object.entries(conditions).map(([type, { status, reason, message, since }]) => ({
    type,
    status,
    reason,
    message,
    lastTransitionTime: iso(since),
    ...(generation !== undefined && { observedGeneration: generation }),
  }));
