import { condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DropReason } from '../domain/events.ts';
import type { Pacing } from '../domain/pacing.ts';
import { statusDigest, statusOf } from '../domain/status.ts';
import { decisions as counters, recordEvents, reportStatus } from './activities.ts';
import type { Run } from './run.ts';

/** Events that one activity records. */
const batchSize = 25;

/** When a status is to be written even if it says nothing new, so that its age tells that somebody is watching. */
const refreshAt = ({ memory: { reported, plan } }: Run): number =>
  reported === undefined || plan === undefined ? Number.POSITIVE_INFINITY : reported.at + plan.heartbeatMs;

/** When to wake up for that; while a status is being written there is nothing to wake up for. */
export const heartbeatAt = (run: Run): number =>
  run.writing.has('status') ? Number.POSITIVE_INFINITY : refreshAt(run);

/** One kind of thing that is written: whether there is any, and how one activity's worth of it is sent. */
interface Writing {
  isDue(run: Run): boolean;
  send(run: Run): Promise<void>;
}

/** The status comes first: an action waits for it, and for nothing else. */
const writings: Record<'events' | 'status', Writing> = {
  status: { isDue: (run) => run.reportedVersion < run.version || Date.now() >= refreshAt(run), send: sendStatus },
  events: { isDue: (run) => run.memory.outbox.length > 0, send: sendEvents },
};

/**
 * Writes status and Events in the background, each until there is nothing left to say: an API server that is away holds up
 * neither polling nor actions that do without it, and one that takes no Events holds up no status.
 */
export function report(run: Run): void {
  countLeftOut(run);
  for (const what of ['status', 'events'] as const) if (!run.writing.has(what)) void write(run, what);
}

function countLeftOut(run: Run): void {
  const { uncounted, ...pacing } = run.memory.pacing ?? {};
  if (uncounted === undefined) return;
  for (const [reason, count] of Object.entries(uncounted)) counters.dropped(reason as DropReason, count);
  run.memory = { ...run.memory, pacing: pacing as Pacing };
}

async function write(run: Run, what: 'events' | 'status'): Promise<void> {
  const { isDue, send } = writings[what];
  run.writing.add(what);
  try {
    while (isDue(run)) await send(run);
  } catch (error) {
    // The run ends, and the next one says what was not said. Anything else is a fault, and is to be seen.
    if (!isCancellation(error)) throw error;
  } finally {
    run.writing.delete(what);
  }
}

async function sendEvents(run: Run): Promise<void> {
  const batch = run.memory.outbox.slice(0, batchSize);
  await recordEvents(run.app, batch);
  run.memory = { ...run.memory, outbox: run.memory.outbox.filter((record) => !batch.includes(record)) };
}

async function sendStatus(run: Run): Promise<void> {
  const { version, memory } = run;
  const { workflowId, runId } = workflowInfo();
  const status = statusOf(memory, { id: workflowId, runId }, Date.now());
  const digest = statusDigest(status);
  if (Date.now() >= refreshAt(run) || digest !== memory.reported?.digest) {
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
  await condition(() => run.writing.size === 0, patience);
};
