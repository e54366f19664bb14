import { detailsOf } from '../../domain/target-app/details.ts';
import type { Memory } from '../../domain/target-app/memory.ts';
import { phaseEvents, phaseOf } from '../../domain/target-app/phase.ts';
import { podCounts, statusOf } from '../../domain/target-app/status.ts';
import { conditions } from '../../domain/target-app/status-conditions.ts';
import { isSuspended } from '../../domain/target-app/suspension.ts';
import type { Presentation } from '../resource-kind.ts';

/** How TargetApps are shown. */
export const presentation: Presentation<Memory> = {
  kind: 'TargetApp',
  phaseOf,
  phaseEvents,
  conditions,
  statusOf,
  // Where polls are turns of their own, each wakes the workflow up anyway.
  heartbeatMs: ({ plan: spec }) => (spec?.turnMs === undefined ? spec?.heartbeatMs : undefined),
  isSuspended: (memory, now) => isSuspended(memory.plan, memory.suspendedByUpdate, now),
  summaryOf: (memory) => ({ ...podCounts(memory), phase: phaseOf(memory, Date.now()) }),
  detailsOf,
};
