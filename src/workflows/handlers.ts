import { ApplicationFailure, condition, setHandler, workflowInfo } from '@temporalio/workflow';
import { redelivered } from '../domain/target-app/pending.ts';
import { conditionsOf, isSuspended, phaseOf, podCounts, statusOf } from '../domain/target-app/status.ts';
import { currentState, type PollSummary, pollNow, redeliver, resourceChanged, resume, suspend } from './messages.ts';
import { report } from './report.ts';
import type { RunState } from './run-state.ts';

const markDirty = (run: RunState): void => {
  run.dirty = true;
};

/** Waits for a look that began after now; also ends when the object is gone. */
async function nextTurn(run: RunState): Promise<void> {
  const begun = run.turnsStarted;
  markDirty(run);
  await condition(() => run.turns > begun || run.deleted);
}

function summary({ memory }: RunState): PollSummary {
  return { ...podCounts(memory), phase: phaseOf(memory, Date.now()) };
}

async function setSuspended(run: RunState, held: boolean): Promise<string> {
  const { suspendedByUpdate: _, ...memory } = run.memory;
  run.memory = held ? { ...memory, suspendedByUpdate: held } : memory;
  await nextTurn(run);
  return phaseOf(run.memory, Date.now());
}

function refuseWhileSuspended(run: RunState): void {
  if (isSuspended(run.memory.plan, run.memory.suspendedByUpdate, Date.now()))
    throw ApplicationFailure.nonRetryable(
      'suspended: resume it first (update resume, or spec.suspend: false)',
      'Suspended',
    );
}

function refuseWhen(run: RunState, held: boolean): void {
  if (Boolean(run.memory.suspendedByUpdate) === held)
    throw ApplicationFailure.nonRetryable(
      held ? 'is suspended by an update already' : 'is not suspended by an update; see spec.suspend',
      'NothingToDo',
    );
}

function refuseWithoutWebhook(run: RunState, actionId: string | undefined): void {
  if (redelivered(run.memory, actionId, Date.now()).ids.length > 0) return;
  const message =
    actionId === undefined
      ? 'no webhook waits to be delivered; see status.undelivered'
      : `no webhook ${actionId} waits to be delivered; see status.undelivered`;
  throw ApplicationFailure.nonRetryable(message, 'NothingToDo');
}

function sendAgain(run: RunState, actionId: string | undefined): string[] {
  const now = Date.now();
  const { memory, ids } = redelivered(run.memory, actionId, now);
  run.memory = { ...memory, conditions: conditionsOf(memory, now) };
  run.version += 1;
  report(run);
  return ids;
}

/** Sets the handlers of everything that can be said to, and asked of, a TargetApp's workflow. */
export function answerMessages(run: RunState): void {
  setHandler(resourceChanged, () => markDirty(run), { description: 'Look again at the object' });
  setHandler(
    currentState,
    () => {
      const { workflowId, runId } = workflowInfo();
      const status = statusOf(run.memory, { id: workflowId, runId }, Date.now());
      return { status, nextPoll: new Date(run.due).toISOString(), runningActions: [...run.actions.keys()] };
    },
    { description: 'The status, the next poll, and the ids of the actions under way' },
  );
  setHandler(
    pollNow,
    async () => {
      await nextTurn(run);
      return summary(run);
    },
    { validator: () => refuseWhileSuspended(run), description: 'Poll at once' },
  );
  setHandler(redeliver, (...[actionId]: [actionId?: string]) => sendAgain(run, actionId), {
    validator: (...[actionId]: [actionId?: string]) => refuseWithoutWebhook(run, actionId),
    description: 'Send undelivered webhooks again',
  });
  setHandler(suspend, () => setSuspended(run, true), {
    validator: () => refuseWhen(run, true),
    description: 'Stop polling and acting',
  });
  setHandler(resume, () => setSuspended(run, false), {
    validator: () => refuseWhen(run, false),
    description: 'Go on polling and acting',
  });
}
