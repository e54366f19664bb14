import type { DropReason } from '../domain/events.ts';
import { withEvents } from '../domain/outbox.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import { eventCounters } from './activities.ts';
import type { RunState } from './run-state.ts';

/**
 * Makes a memory the present one: the only place that does. Derives phase and conditions, emits the Event of a new phase, and
 * raises the version that the status is to show. Whoever writes or waits sees it by itself, so nobody has to be called.
 *
 * @param isNews whether the status may have to say something else now
 */
export function commit<M extends ResourceMemory>(run: RunState<M>, memory: M, isNews = true): void {
  const now = Date.now();
  const { kind } = run;
  const phase = kind.phaseOf(memory, now);
  const isOtherPhase = phase !== memory.phase;
  const told = isOtherPhase ? withEvents(memory, kind.phaseEvents(memory, phase), now) : memory;
  run.memory = counted({ ...told, phase, conditions: kind.conditionsOf(told, now) });
  if (isNews || isOtherPhase) run.version += 1;
}

/** The memory in which all Events that were left out are counted. */
function counted<M extends ResourceMemory>(memory: M): M {
  const { uncounted, ...pacing } = memory.pacing ?? {};
  if (uncounted === undefined) return memory;
  for (const [reason, count] of Object.entries(uncounted)) eventCounters.dropped(reason as DropReason, count);
  return { ...memory, pacing };
}
