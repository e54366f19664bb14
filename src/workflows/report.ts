import { ActivityFailure, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { Reported } from '../activities/report-status.ts';
import { type EventRecord, statusRefusedEvent } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import { isOutdated, withEvents } from '../domain/outbox.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import { statusDigest } from '../domain/status-digest.ts';
import type { Telling, Told } from '../domain/telling.ts';
import { eventCounters, recordEvents, recordEventsAgain, reportStatus } from './activities.ts';
import { commit } from './commit.ts';
import { refreshAt } from './heartbeat.ts';
import type { RunState, Written } from './run-state.ts';

/** A run of whatever kind. */
type Run = RunState<ResourceMemory>;

/** Events that one activity records. */
const batchSize = 25;

/** One kind of thing that is written: whether there is any, and how one activity's worth of it is sent. */
interface Writing {
  isDue(run: Run): boolean;
  send(run: Run): Promise<void>;
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

const isAnyDue = (run: Run): boolean => Object.values(writings).some(({ isDue }) => isDue(run));

/**
 * Writes status and Events in the background whenever there is something to write: an API server that is away holds up
 * neither turns nor actions that do without it, and one that takes no Events holds up no status.
 */
export function startReporting(run: Run): void {
  for (const what of ['status', 'events', 'refused'] as const) void write(run, what);
}

async function write(run: Run, what: Written): Promise<void> {
  const { isDue, send } = writings[what];
  try {
    for (;;) {
      await condition(() => isDue(run));
      run.writing.add(what);
      await send(run);
      run.writing.delete(what);
    }
  } catch (error) {
    // The run ends, and the next one writes what was not written. Anything else is a fault, and is to be seen.
    if (!isCancellation(error)) throw error;
  } finally {
    run.writing.delete(what);
  }
}

/** Those that nobody tries to record yet. */
const untried = ({ memory, refused: ids, telling }: Run): EventRecord[] =>
  memory.outbox.filter(({ id }) => !ids.has(id) && !telling?.batch.some((record) => record.id === id));

/** Those that were tried longest ago come first. */
const refused = ({ memory, refused: ids }: Run): EventRecord[] => {
  const records = new Map(memory.outbox.map((record) => [record.id, record]));
  return [...ids].flatMap((id) => records.get(id) ?? []);
};

/**
 * What a turn that begins now is to tell, in one step and without activities of its own; undefined when there is nothing, or when
 * an action waits for it, which is to be known at once.
 */
export function beginTelling(run: Run): Telling | undefined {
  const { version, kind, app } = run;
  if (run.announced.size > 0 || run.writing.size > 0) return undefined;
  const news = run.reportedVersion < version ? statusToWrite(run) : undefined;
  const batch = untried(run).slice(0, batchSize);
  run.reportedVersion = version;
  if (news === undefined && batch.length === 0) return undefined;
  run.telling = { version, batch, ...(news !== undefined && { digest: news.digest }) };
  return { kind: kind.kind, app, records: batch, ...(news !== undefined && { status: news.status }) };
}

/** Takes in what a turn has told; undefined: nobody knows. What it has not is told by activities. */
export function endTelling(run: Run, told: Told | undefined): void {
  const { telling } = run;
  if (telling === undefined) return;
  const { version, batch, digest } = telling;
  run.telling = undefined;
  if (told !== undefined && batch.length > 0) take(run, batch, leftIn(batch, told));
  // Something newer may have been written meanwhile.
  if (digest === undefined || run.reportedVersion !== version) return;
  if (told?.status === undefined) run.reportedVersion = -1;
  else noteWritten(run, digest, told.status);
}

async function sendEvents(run: Run, record: typeof recordEvents, due: EventRecord[]): Promise<void> {
  const batch = due.slice(0, batchSize);
  take(run, batch, await leftOf(record(run.kind.kind, run.app, batch), batch));
}

/** Takes in which Events of a batch are still to be recorded. */
function take(run: Run, batch: EventRecord[], left: EventRecord[]): void {
  const done = new Set(batch.filter((each) => !left.includes(each)));
  if (done.size > 0) run.recordedAt = Date.now();
  for (const { id } of batch) run.refused.delete(id);
  for (const { id } of left) run.refused.add(id);
  letGo(
    run,
    run.memory.outbox.filter((each) => !done.has(each)),
  );
}

const leftIn = (batch: EventRecord[], { left = [] }: { left?: number[] }): EventRecord[] =>
  left.flatMap((at) => batch[at] ?? []);

/** Those of a batch that are still to be recorded. */
async function leftOf(recording: ReturnType<typeof recordEvents>, batch: EventRecord[]): Promise<EventRecord[]> {
  try {
    return leftIn(batch, await recording);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return batch;
  }
}

/** Keeps an outbox less the Events that are refused for long while others are taken: it is not the API server that is away. */
function letGo(run: Run, outbox: EventRecord[]): void {
  const now = Date.now();
  const kept = outbox.filter((record) => !run.refused.has(record.id) || !isOutdated(record, run.recordedAt, now));
  const outdated = outbox.length - kept.length;
  if (outdated > 0) eventCounters.dropped('Outdated', outdated);
  commit(run, { ...run.memory, outbox: kept }, 'bookkeeping');
  const ids = new Set(kept.map(({ id }) => id));
  for (const id of run.refused) if (!ids.has(id)) run.refused.delete(id);
}

/** The status, when it says something new or its heartbeat is due. */
function statusToWrite(run: Run): { status: JsonObject; digest: string } | undefined {
  const { memory, kind } = run;
  const { workflowId, runId } = workflowInfo();
  const status = kind.statusOf(memory, { id: workflowId, runId }, Date.now());
  const digest = statusDigest(status);
  return Date.now() >= refreshAt(run) || digest !== memory.reported?.digest ? { status, digest } : undefined;
}

/** Takes in that a status stands there, or is refused for good. */
function noteWritten(run: Run, digest: string, { gone, refused: why }: Reported): void {
  const now = Date.now();
  const told = why === undefined ? run.memory : withEvents(run.memory, [statusRefusedEvent(why)], now);
  commit(run, { ...told, reported: { digest, at: now } }, 'bookkeeping');
  run.dirty ||= gone;
}

async function sendStatus(run: Run): Promise<void> {
  const { version, kind, app } = run;
  const news = statusToWrite(run);
  if (news !== undefined)
    noteWritten(run, news.digest, await reportStatus({ kind: kind.kind, app, status: news.status }));
  run.reportedVersion = version;
}

/**
 * Resolves when what was to be reported is, or when waiting for it is no longer worth it: what is not recorded by then
 * goes on with the next run, if there is one.
 */
export const reported = async (run: Run, patience: '5 seconds' | '30 seconds'): Promise<void> => {
  await condition(() => run.writing.size === 0 && !isAnyDue(run), patience);
};
