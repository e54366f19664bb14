import { ApplicationFailure, condition, setHandler, workflowInfo } from '@temporalio/workflow';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import { commit } from './commit.ts';
import { currentState, pollNow, resourceChanged, resume, suspend } from './messages.ts';
import type { RunState } from './run-state.ts';

/** Waits for a turn that began after now; also ends when the object is gone. */
async function nextTurn<M extends ResourceMemory>(run: RunState<M>): Promise<void> {
  const begun = run.turnsStarted;
  run.dirty = true;
  await condition(() => run.turns > begun || run.deleted);
}

async function setSuspended<M extends ResourceMemory>(run: RunState<M>, isSuspended: boolean): Promise<string> {
  const { suspendedByUpdate: _, ...memory } = run.memory;
  commit(run, { ...memory, ...(isSuspended && { suspendedByUpdate: true }) } as M);
  await nextTurn(run);
  return run.kind.phaseOf(run.memory, Date.now());
}

function refuseWhileSuspended<M extends ResourceMemory>({ kind, memory }: RunState<M>): void {
  if (!kind.isSuspended(memory, Date.now())) return;
  throw ApplicationFailure.nonRetryable(
    'suspended: resume it first (update resume, or spec.suspend: false)',
    'Suspended',
  );
}

function refuseWhen<M extends ResourceMemory>({ memory }: RunState<M>, isSuspended: boolean): void {
  if (Boolean(memory.suspendedByUpdate) !== isSuspended) return;
  throw ApplicationFailure.nonRetryable(
    isSuspended ? 'is suspended by an update already' : 'is not suspended by an update; see spec.suspend',
    'NothingToDo',
  );
}

/** Sets the handlers of everything that can be said to, and asked of, the workflow of every kind. */
export function handleMessages<M extends ResourceMemory>(run: RunState<M>): void {
  setHandler(
    resourceChanged,
    () => {
      run.dirty = true;
    },
    { description: 'Look again at the object' },
  );
  setHandler(
    currentState,
    () => {
      const { workflowId, runId } = workflowInfo();
      const status = run.kind.statusOf(run.memory, { id: workflowId, runId }, Date.now());
      return { status, nextPoll: new Date(run.due).toISOString(), runningActions: [...run.underWay.keys()] };
    },
    { description: 'The status, the next poll, and the ids of the actions under way' },
  );
  setHandler(
    pollNow,
    async () => {
      await nextTurn(run);
      return run.kind.summaryOf(run.memory);
    },
    { validator: () => refuseWhileSuspended(run), description: 'Poll at once' },
  );
  setHandler(suspend, () => setSuspended(run, true), {
    validator: () => refuseWhen(run, true),
    description: 'Stop polling and acting',
  });
  setHandler(resume, () => setSuspended(run, false), {
    validator: () => refuseWhen(run, false),
    description: 'Go on polling and acting',
  });
}
