import { detailsOf } from '../../domain/target-app/details.ts';
import { fitted } from '../../domain/target-app/fit-memory.ts';
import { type Memory, newMemory } from '../../domain/target-app/memory.ts';
import { nextTurnAt } from '../../domain/target-app/next-turn-at.ts';
import { phaseEvents, phaseOf } from '../../domain/target-app/phase.ts';
import { podCounts, statusOf } from '../../domain/target-app/status.ts';
import { conditions } from '../../domain/target-app/status-conditions.ts';
import { isSuspended } from '../../domain/target-app/suspension.ts';
import type { ResourceKind } from '../resource-kind.ts';
import { resourceWorkflow } from '../resource-workflow.ts';
import { pump } from './act.ts';
import { handleRedeliver } from './handlers.ts';
import { observe, type Seen } from './observe.ts';
import { plan } from './plan.ts';

/** What is special to TargetApps. */
export const kind: ResourceKind<Memory, Seen> = {
  kind: 'TargetApp',
  newMemory,
  fitted,
  observe,
  plan,
  nextTurnAt: ({ app, memory }, now) => nextTurnAt(memory, app.uid, now),
  background: pump,
  handle: handleRedeliver,
  phaseOf,
  phaseEvents,
  conditions,
  statusOf,
  // Where polls are turns of their own, each wakes the workflow up anyway.
  heartbeatMs: ({ plan: spec }) => (spec?.turnMs === undefined ? spec?.heartbeatMs : undefined),
  tellsByActivities: ({ plan: spec }) => spec?.turnMs === undefined,
  isSuspended: (memory, now) => isSuspended(memory.plan, memory.suspendedByUpdate, now),
  summaryOf: (memory) => ({ ...podCounts(memory), phase: phaseOf(memory, Date.now()) }),
  detailsOf,
};

/** The workflow of one TargetApp. */
export const targetApp = resourceWorkflow(kind);
