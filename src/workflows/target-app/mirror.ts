import type { Memory, PendingAction } from '../../domain/target-app/memory.ts';
import type { RunState } from '../run-state.ts';

type Run = RunState<Memory>;

/** How long an action waits until the status says that it fires; a restart cannot be done without the API server anyway. */
const mirrorMs = 5_000;

/** Lets actions wait until the status says that they were decided. */
export function announce(run: Run, ids: string[]): void {
  for (const id of ids) run.announced.set(id, { version: run.version, at: Date.now() });
}

/** When an action is not to wait any longer for the status to say that it fires, epoch milliseconds; undefined when the status does. */
export function mirroredAt({ announced, reportedVersion }: Run, { request }: PendingAction): number | undefined {
  const decided = announced.get(request.id);
  return decided === undefined || reportedVersion >= decided.version ? undefined : decided.at + mirrorMs;
}
