import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import type { Memory } from '../../domain/target-app/memory.ts';
import { redelivered } from '../../domain/target-app/undelivered.ts';
import { commit } from '../commit.ts';
import type { RunState } from '../run-state.ts';
import { redeliver } from './messages.ts';

function refuseWithoutWebhook({ memory }: RunState<Memory>, actionId: string | undefined): void {
  if (redelivered(memory, actionId, Date.now()).ids.length > 0) return;
  const message =
    actionId === undefined
      ? 'no webhook waits to be delivered; see status.undelivered'
      : `no webhook ${actionId} waits to be delivered; see status.undelivered`;
  throw ApplicationFailure.nonRetryable(message, 'NothingToDo');
}

function sendAgain(run: RunState<Memory>, actionId: string | undefined): string[] {
  const { memory, ids } = redelivered(run.memory, actionId, Date.now());
  commit(run, memory);
  return ids;
}

/** Sets the handlers of the updates that only a TargetApp has. */
export function handleRedeliver(run: RunState<Memory>): void {
  setHandler(redeliver, (...[actionId]: [actionId?: string]) => sendAgain(run, actionId), {
    validator: (...[actionId]: [actionId?: string]) => refuseWithoutWebhook(run, actionId),
    description: 'Send undelivered webhooks again',
  });
}
