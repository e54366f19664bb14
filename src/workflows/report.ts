import { condition, workflowInfo } from '@temporalio/workflow';
import { statusDigest, statusOf } from '../domain/status.ts';
import { recordEvents, reportStatus } from './activities.ts';
import type { Run } from './run.ts';

/** Events that one activity records. */
const batchSize = 25;
/**
 * When a status is due even if it says nothing new, so that its age tells that somebody is watching. While one is being
 * written there is nothing to wait for.
 */
export const heartbeatAt = ({ memory: { reported, plan }, reporting }: Run): number =>
  reporting || reported === undefined || plan === undefined ? Number.POSITIVE_INFINITY : reported.at + plan.heartbeatMs;

/**
 * Writes Events and status in the background, one thing after the other, until there is nothing left to say: an API
 * server that is away holds up neither polling nor actions that do without it.
 */
export function report(run: Run): void {
  if (run.reporting || isSaid(run)) return;
  run.reporting = true;
  write(run).then(
    () => {
      run.reporting = false;
      // Something may have come to be said since it was last looked whether there is.
      report(run);
    },
    () => {
      // Cancelled: the run ends, and the next one says what was not said.
      run.reporting = false;
    },
  );
}

const isSaid = (run: Run): boolean =>
  run.memory.outbox.length === 0 && run.reportedVersion === run.version && Date.now() < heartbeatAt(run);

async function write(run: Run): Promise<void> {
  do {
    await sendEvents(run);
    await sendStatus(run);
  } while (run.memory.outbox.length > 0 || run.reportedVersion < run.version);
}

async function sendEvents(run: Run): Promise<void> {
  while (run.memory.outbox.length > 0) {
    const batch = run.memory.outbox.slice(0, batchSize);
    await recordEvents(run.app, batch);
    run.memory = { ...run.memory, outbox: run.memory.outbox.filter((record) => !batch.includes(record)) };
  }
}

async function sendStatus(run: Run): Promise<void> {
  const { version, memory } = run;
  const { workflowId, runId } = workflowInfo();
  const status = statusOf(memory, { id: workflowId, runId }, Date.now());
  const digest = statusDigest(status);
  const isHeartbeat =
    memory.reported !== undefined && Date.now() >= memory.reported.at + (memory.plan?.heartbeatMs ?? 0);
  if (isHeartbeat || digest !== memory.reported?.digest) {
    const { gone } = await reportStatus({ app: run.app, status });
    run.memory = { ...run.memory, reported: { digest, at: Date.now() } };
    run.looksAgain ||= gone;
  }
  run.reportedVersion = version;
}

/**
 * Resolves when what was to be reported is, or when waiting for it is no longer worth it: what is not recorded by then
 * goes on with the next run, if there is one.
 */
export const reported = async (run: Run, patience: '5 seconds' | '30 seconds'): Promise<void> => {
  report(run);
  await condition(() => !run.reporting, patience);
};
