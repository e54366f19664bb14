import { ActivityFailure, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { DropReason, EventRecord } from '../domain/events.ts';
import { isOutdated, withEvents } from '../domain/outbox.ts';
import type { Pacing } from '../domain/pacing.ts';
import { statusRefusedEvent } from '../domain/target-app/event-messages.ts';
import { statusDigest, statusOf } from '../domain/target-app/status.ts';
import type { RunState, Written } from './run-state.ts';
import { decisions as counters, recordEvents, recordEventsAgain, reportStatus } from './target-app/activities.ts';

/** Events that one activity records. */
const batchSize = 25;

/** When a status is to be written even if it says nothing new, so that its age tells that somebody is watching. */
const refreshAt = ({ memory: { reported, plan } }: RunState): number =>
  reported === undefined || plan === undefined ? Number.POSITIVE_INFINITY : reported.at + plan.heartbeatMs;

/** When to wake up for that; while a status is being written there is nothing to wake up for. */
export const heartbeatAt = (run: RunState): number =>
  run.writing.has('status') ? Number.POSITIVE_INFINITY : refreshAt(run);

/** One kind of thing that is written: whether there is any, and how one activity's worth of it is sent. */
interface Writing {
  isDue(run: RunState): boolean;
  send(run: RunState): Promise<void>;
}

/**
 * What is written side by side. The status comes first: an action waits for it, and for nothing else. Events that were
 * refused once are tried again apart from the others, which do not wait for them.
 */
const writings = {
  status: { isDue: (run) => run.reportedVersion < run.version || Date.now() >= refreshAt(run), send: sendStatus },
  events: { isDue: (run) => untried(run).length > 0, send: (run) => sendEvents(run, recordEvents, untried(run)) },
  refused: { isDue: (run) => refused(run).length > 0, send: (run) => sendEvents(run, recordEventsAgain, refused(run)) },
} satisfies Record<Written, Writing>;

/**
 * Writes status and Events in the background, each until there is nothing left to say: an API server that is away holds up
 * neither polling nor actions that do without it, and one that takes no Events holds up no status.
 */
export function report(run: RunState): void {
  countLeftOut(run);
  for (const what of ['status', 'events', 'refused'] as const) if (!run.writing.has(what)) void write(run, what);
}

function countLeftOut(run: RunState): void {
  const { uncounted, ...pacing } = run.memory.pacing ?? {};
  if (uncounted === undefined) return;
  for (const [reason, count] of Object.entries(uncounted)) counters.dropped(reason as DropReason, count);
  run.memory = { ...run.memory, pacing: pacing as Pacing };
}

async function write(run: RunState, what: Written): Promise<void> {
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

const untried = ({ memory, refused: ids }: RunState): EventRecord[] => memory.outbox.filter(({ id }) => !ids.has(id));

/** Those that were tried longest ago come first. */
const refused = ({ memory, refused: ids }: RunState): EventRecord[] => {
  const records = new Map(memory.outbox.map((record) => [record.id, record]));
  return [...ids].flatMap((id) => records.get(id) ?? []);
};

async function sendEvents(run: RunState, record: typeof recordEvents, due: EventRecord[]): Promise<void> {
  const batch = due.slice(0, batchSize);
  const left = await leftOf(record(run.app, batch), batch);
  const done = new Set(batch.filter((each) => !left.includes(each)));
  if (done.size > 0) run.recordedAt = Date.now();
  for (const { id } of batch) run.refused.delete(id);
  for (const { id } of left) run.refused.add(id);
  run.memory = { ...run.memory, outbox: run.memory.outbox.filter((each) => !done.has(each)) };
  letGo(run);
  // Some may be to be tried again, by the other loop.
  report(run);
}

/** Those of a batch that are still to be recorded. */
async function leftOf(recording: ReturnType<typeof recordEvents>, batch: EventRecord[]): Promise<EventRecord[]> {
  try {
    const { left = [] } = await recording;
    return left.flatMap((at) => batch[at] ?? []);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return batch;
  }
}

/** Lets go of Events that are refused for long while others are taken: it is not the API server that is away. */
function letGo(run: RunState): void {
  const now = Date.now();
  const outbox = run.memory.outbox.filter(
    (record) => !run.refused.has(record.id) || !isOutdated(record, run.recordedAt, now),
  );
  const outdated = run.memory.outbox.length - outbox.length;
  if (outdated > 0) counters.dropped('Outdated', outdated);
  run.memory = { ...run.memory, outbox };
  const ids = new Set(outbox.map(({ id }) => id));
  for (const id of run.refused) if (!ids.has(id)) run.refused.delete(id);
}

async function sendStatus(run: RunState): Promise<void> {
  const { version, memory } = run;
  const { workflowId, runId } = workflowInfo();
  const status = statusOf(memory, { id: workflowId, runId }, Date.now());
  const digest = statusDigest(status);
  if (Date.now() >= refreshAt(run) || digest !== memory.reported?.digest) {
    const { gone, refused: why } = await reportStatus({ app: run.app, status });
    const now = Date.now();
    const told = why === undefined ? run.memory : withEvents(run.memory, [statusRefusedEvent(why)], now);
    run.memory = { ...told, reported: { digest, at: now } };
    run.dirty ||= gone;
  }
  run.reportedVersion = version;
}

/**
 * Resolves when what was to be reported is, or when waiting for it is no longer worth it: what is not recorded by then
 * goes on with the next run, if there is one.
 */
export const reported = async (run: RunState, patience: '5 seconds' | '30 seconds'): Promise<void> => {
  report(run);
  await condition(() => run.writing.size === 0, patience);
};
