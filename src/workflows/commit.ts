import type { DropReason } from '../domain/events.ts';
import { withEvents } from '../domain/outbox.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import { conditionsIn } from '../domain/status-conditions.ts';
import { eventCounters } from './activities.ts';
import type { RunState } from './run-state.ts';

/**
 * What a change of memory is: `news` is to stand in the status; a `turn` has found none, and only time may have changed a
 * condition; `bookkeeping` (an Event recorded, a status written) changes none.
 */
export type Change = 'bookkeeping' | 'news' | 'turn';

/**
 * Makes a memory the present one: the only place that does. Derives phase and conditions, emits the Event of a new phase, and
 * raises the version that the status is to show. Whoever writes or waits sees it by itself, so nobody has to be called.
 */
export function commit<M extends ResourceMemory>(run: RunState<M>, memory: M, change: Change = 'news'): void {
  // To everybody else it is read-only.
  const assignable: { memory: M } = run;
  assignable.memory = counted(change === 'bookkeeping' ? memory : derived(run, memory, change));
}

/** The memory with what follows from it. */
function derived<M extends ResourceMemory>(run: RunState<M>, memory: M, change: Change): M {
  const now = Date.now();
  const { kind } = run;
  const phase = kind.phaseOf(memory, now);
  const isOtherPhase = phase !== memory.phase;
  const told = isOtherPhase ? withEvents(memory, kind.phaseEvents(memory, phase), now) : memory;
  const conditions = conditionsIn(kind.conditions, told, now);
  if (change === 'news' || isOtherPhase || conditions !== memory.conditions) run.version += 1;
  return { ...told, phase, conditions };
}

/** The memory in which all Events that were left out are counted. */
function counted<M extends ResourceMemory>(memory: M): M {
  const { uncounted, ...pacing } = memory.pacing ?? {};
  if (uncounted === undefined) return memory;
  for (const [reason, count] of Object.entries(uncounted)) eventCounters.dropped(reason as DropReason, count);
  return { ...memory, pacing };
}
