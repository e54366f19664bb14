import type { EventRecord } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ObjectRef } from '../domain/refs.ts';
import type { RecordEvents } from './record-events.ts';
import type { Reported, ReportStatus } from './report-status.ts';

/** What is to be told of an object now. */
export interface Telling {
  /** As in the custom resource. */
  kind: string;
  app: ObjectRef;
  /** Absent when there is nothing new to stand in it. */
  status?: JsonObject;
  records: EventRecord[];
  /** Something that the status says is to stand there before it is told: an action that begins. */
  statusFirst?: true;
}

/** What was told. What was not is to be told by an activity that is tried until it succeeds. */
export interface Told {
  /** What became of the status; absent when it was not written, or there was none. */
  status?: Reported;
  /** Positions of Events that were not recorded; absent when there are none. */
  left?: number[];
}

/** How long the API server has, in milliseconds: a task of a workflow waits for it. */
const limitMs = 1_500;
/** How long it is not tried any more after the API server was too slow. */
const closedMs = 5_000;

/**
 * Tells what the API server takes at once: Events and status in one step, within a workflow task. Never rejects: what was not
 * told is left. Where the API server is slow it gives up at once for a while, so that workflow tasks are not what waits.
 */
export function createTellAtOnce(writes: { reportStatus: ReportStatus; recordEvents: RecordEvents }) {
  let closedUntil = 0;

  const tried = async <T>(write: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> => {
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await write(signal);
    } catch {
      if (signal.aborted) closedUntil = performance.now() + closedMs;
      return undefined;
    }
  };

  return async ({ kind, app, status, records, statusFirst }: Telling): Promise<Told> => {
    const all = records.map((_, at) => at);
    if (performance.now() < closedUntil) return all.length === 0 ? {} : { left: all };
    const writing = status && tried((signal) => writes.reportStatus({ kind, app, status }, signal, limitMs));
    if (statusFirst) await writing;
    const recording =
      records.length > 0 && tried((signal) => writes.recordEvents(kind, app, records, { signal, limitMs, attempt: 1 }));
    const [reported, recorded] = await Promise.all([writing, recording]);
    const left = records.length === 0 ? [] : recorded ? (recorded.left ?? []) : all;
    return { ...(reported !== undefined && { status: reported }), ...(left.length > 0 && { left }) };
  };
}
