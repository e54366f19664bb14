import { nextPollAt } from '../../domain/schedule.ts';
import { detailsOf } from '../../domain/target-app/details.ts';
import { fitted } from '../../domain/target-app/fit-memory.ts';
import { type Memory, newMemory } from '../../domain/target-app/memory.ts';
import { phaseEvents, phaseOf } from '../../domain/target-app/phase.ts';
import { podCounts, statusOf } from '../../domain/target-app/status.ts';
import { conditions } from '../../domain/target-app/status-conditions.ts';
import { isSuspended } from '../../domain/target-app/suspension.ts';
import type { ResourceKind } from '../resource-kind.ts';
import { resourceWorkflow } from '../resource-workflow.ts';
import type { RunState } from '../run-state.ts';
import { pump } from './act.ts';
import { handleRedeliver } from './handlers.ts';
import { observe, type Seen } from './observe.ts';
import { plan } from './plan.ts';

type Run = RunState<Memory>;

/** How often an object that asks for nothing is looked at, in case a signal about it was lost. */
const idleLookMs = 5 * 60_000;

/** When to look next: a turn waits by itself; a poll comes at its own phase, and a stopped TargetApp is only looked at now and then. */
function nextTurnAt({ app, memory: { plan: spec, suspendedByUpdate } }: Run, now: number): number {
  if (spec === undefined) return now + 1_000;
  if (spec.turnMs !== undefined) return now;
  if (spec.problems.length > 0 || suspendedByUpdate || spec.suspend) return now + idleLookMs;
  if (spec.suspendUntil !== undefined && now < spec.suspendUntil) return Math.min(now + idleLookMs, spec.suspendUntil);
  return nextPollAt(app.uid, spec.intervalMs, now);
}

/** What is special to TargetApps. */
export const kind: ResourceKind<Memory, Seen> = {
  kind: 'TargetApp',
  newMemory,
  fitted,
  observe,
  plan,
  nextTurnAt,
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
