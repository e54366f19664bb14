import type { Memory } from './memory.ts';

/** Actions of one TargetApp that have not ended: beyond it a rule is held back until there is room. */
const maxPending = 200;

/** What the workflow can still take on: actions that it may add, and those that have not had their turn yet. */
export interface Load {
  room: number;
  /** `loadKey` of every action that has not ended, and must before the rule fires again. */
  waiting: ReadonlySet<string>;
}

/** A load that holds nothing back, for a simulation. */
export const noLoad: Load = { room: Number.POSITIVE_INFINITY, waiting: new Set() };

export const loadKey = (key: string, subject: string): string => `${key}/${subject}`;

/** What a workflow can take on beside what it has. */
export function loadOf({ pending }: Memory): Load {
  // Messages are queued up, so that none of them is lost; whatever is done to a pod is done for what holds now.
  const waiting = pending.filter(
    ({ request, plan }) => request.recovery === undefined && plan.deliverForMs === undefined,
  );
  return {
    room: maxPending - pending.length,
    waiting: new Set(waiting.map(({ key, subject }) => loadKey(key, subject))),
  };
}
