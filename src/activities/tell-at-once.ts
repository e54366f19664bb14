import type { Telling, Told } from '../domain/telling.ts';
import type { RecordEvents } from './record-events.ts';
import type { ReportStatus } from './report-status.ts';

/** How long the API server has, in milliseconds. */
const limitMs = 1_500;
/** How long it is not tried any more after the API server was too slow. */
const closedMs = 5_000;

/** Tells Events and status in one step; never rejects: what was not told is left. */
export type TellAtOnce = (telling: Telling) => Promise<Told>;

/**
 * Tells what the API server takes at once, once. Where the API server is slow it gives up at once for a while: who has to be
 * patient with it has slots of his own.
 */
export function createTellAtOnce(writes: { reportStatus: ReportStatus; recordEvents: RecordEvents }): TellAtOnce {
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

  return async ({ kind, app, status, records }) => {
    const all = records.map((_, at) => at);
    if (performance.now() < closedUntil) return all.length === 0 ? {} : { left: all };
    const writing = status && tried((signal) => writes.reportStatus({ kind, app, status }, signal, limitMs));
    const recording =
      records.length > 0 && tried((signal) => writes.recordEvents(kind, app, records, { signal, limitMs, attempt: 1 }));
    const [reported, recorded] = await Promise.all([writing, recording]);
    const left = records.length === 0 ? [] : recorded ? (recorded.left ?? []) : all;
    return { ...(reported !== undefined && { status: reported }), ...(left.length > 0 && { left }) };
  };
}
