import type { ResourceMemory } from '../domain/resource-memory.ts';
import type { RunState } from './run-state.ts';

type Run = RunState<ResourceMemory>;

/** When a status is to be written even if it says nothing new, so that its age tells that somebody is watching. */
export const refreshAt = ({ kind, memory }: Run): number => {
  const heartbeatMs = kind.heartbeatMs(memory);
  if (memory.reported === undefined || heartbeatMs === undefined) return Number.POSITIVE_INFINITY;
  return memory.reported.at + heartbeatMs;
};

/** When to wake up for that; while a status is being written there is nothing to wake up for. */
export const heartbeatAt = (run: Run): number =>
  run.writing.has('status') ? Number.POSITIVE_INFINITY : refreshAt(run);
