import { aggregate, type EventDraft, type EventRecord, type RecentEvent, without } from './events.ts';
import { condensed, type Pacing, pace, toldOf, withLeftOut, withTold } from './pacing.ts';
import { bytesOf } from './text.ts';

/** What every kind remembers of its Events. */
export interface EventMemory {
  /** Recent Events by what they say, so that a repeat raises a count. */
  events: Record<string, RecentEvent>;
  /** Events that are not recorded yet. */
  outbox: EventRecord[];
  /** How much may be told now, and what waits for that; absent while there is room for all. */
  pacing?: Pacing;
  /** Events that are `spared` are. Absent in runs that were begun by a version which did not, and go on as they began. */
  sparing?: true;
}

/** Limits of what waits to be recorded: it is handed on at continue-as-new, which Temporal bounds at 2 MiB. */
const maxOutbox = 500;
const maxOutboxBytes = 256 * 1024;

/** As long as Kubernetes keeps an Event by default. */
const outdatedMs = 60 * 60_000;

/** Whether an Event that is refused again and again is to be let go: others are taken, so it is not the API server that is away. */
export const isOutdated = ({ last }: EventRecord, recordedAt: number, now: number): boolean =>
  now - last > outdatedMs && now - recordedAt < outdatedMs;

const whole: Pacing = { left: {}, waiting: [] };

/** About what an Event takes as JSON: its message, and its names and times. */
const sizeOf = ({ message }: EventRecord): number => bytesOf(message) + 400;

/** The newest Events that the outbox has room for; changes of the state go first, and of all the oldest. */
function fitting(records: EventRecord[]): { kept: EventRecord[]; lost: number } {
  const worstFirst = [...records.filter(({ change }) => change), ...records.filter(({ change }) => !change)];
  const sizes = worstFirst.map(sizeOf);
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  let lost = 0;
  while (records.length - lost > maxOutbox || bytes > maxOutboxBytes) {
    bytes -= sizes[lost] ?? 0;
    lost += 1;
  }
  const gone = new Set(worstFirst.slice(0, lost));
  return { kept: lost === 0 ? records : records.filter((record) => !gone.has(record)), lost };
}

const leftOutEvent = (count: number): EventDraft => ({
  type: 'Warning',
  reason: 'EventsDropped',
  message: `${count} further Events were left out, because there were more than are told of one TargetApp; spec.ignoreFields leaves out what is noise, spec.events names what matters`,
  sameAs: 'left out',
});

/** Joins Events with what waits to be recorded. A repeat takes the place of its earlier word, at no further write. */
function joined<M extends EventMemory>(memory: M, drafts: EventDraft[], now: number): M & { pacing: Pacing } {
  const { recent, records } = aggregate(memory.events, drafts, now);
  const latest = new Map(records.map((record) => [record.id, record]));
  const queued = new Set(memory.outbox.map(({ id }) => id));
  const unwritten = [...latest.values()].filter(({ id }) => !queued.has(id));
  const { pacing, told, leftOut } = pace(memory.pacing ?? whole, unwritten, now, memory.sparing);
  const passed = new Set(told.map(({ id }) => id));
  const waited = told.filter(({ id }) => !latest.has(id));
  const isTold = ({ id }: EventRecord): boolean => queued.has(id) || passed.has(id);
  const { kept, lost } = fitting([
    ...memory.outbox.filter(({ id }) => !latest.has(id)),
    ...waited,
    ...[...latest.values()].filter(isTold),
  ]);
  return {
    ...memory,
    // What was left out has not been: when it comes again, it is new again.
    events: leftOut.length === 0 ? recent : without(recent, leftOut),
    outbox: kept,
    pacing: withLeftOut(withLeftOut(pacing, leftOut.length, 'RateLimited', now), lost, 'OutboxFull', now),
  };
}

/**
 * Puts Events into the outbox, joined with recent ones that say the same, as far as there is room for them; and with them
 * what waited for room. How many were left out is told by one Event that counts.
 */
export function withEvents<M extends EventMemory>(memory: M, drafts: EventDraft[], now: number): M {
  const { pacing = whole } = memory;
  if (drafts.length === 0 && pacing.waiting.length === 0 && toldOf(pacing, now) === undefined) return memory;
  const next = joined(memory, drafts, now);
  const count = toldOf(next.pacing, now);
  const { pacing: last, ...rest } =
    count === undefined ? next : joined({ ...next, pacing: withTold(next.pacing) }, [leftOutEvent(count)], now);
  const kept = condensed(last, now);
  // TypeScript cannot see that a memory of any kind, less one of its parts and with it again, is one of that kind.
  return { ...rest, ...(kept !== undefined && { pacing: kept }) } as unknown as M;
}
