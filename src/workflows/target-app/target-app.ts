import { fitted } from '../../domain/target-app/fit-memory.ts';
import { type Memory, newMemory } from '../../domain/target-app/memory.ts';
import { nextTurnAt } from '../../domain/target-app/next-turn-at.ts';
import type { ResourceKind } from '../resource-kind.ts';
import { resourceWorkflow } from '../resource-workflow.ts';
import { pump } from './act.ts';
import { handleRedeliver } from './handlers.ts';
import { observe, type Seen } from './observe.ts';
import { plan } from './plan.ts';
import { presentation } from './presentation.ts';

/** What is special to TargetApps. */
const kind: ResourceKind<Memory, Seen> = {
  ...presentation,
  newMemory,
  fitted,
  observe,
  plan,
  isByTurns: (memory) => memory.plan?.turnMs !== undefined,
  nextTurnAt: ({ app, memory }, now) => nextTurnAt(memory, app.uid, now),
  background: pump,
  handle: handleRedeliver,
};

/** The workflow of one TargetApp. */
export const targetApp = resourceWorkflow(kind);
