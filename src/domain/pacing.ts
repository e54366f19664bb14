import { type DropReason, type EventRecord, repeatWindowMs } from './events.ts';

/** What Events of one kind share: what an app says of itself must not crowd out what KCO decides and does. */
type Room = 'changes' | 'deeds' | 'notice' | 'troubles';

/**
 * Room for so many Events at once, and for one more each so often. Of it so many are kept for what was not told before, or
 * counters that are raised at every poll would leave none.
 */
const rooms: Record<Room, { most: number; refillMs: number; kept: number }> = {
  changes: { most: 40, refillMs: 10_000, kept: 10 },
  deeds: { most: 200, refillMs: 2_000, kept: 50 },
  notice: { most: 1, refillMs: 60_000, kept: 0 },
  troubles: { most: 40, refillMs: 10_000, kept: 10 },
};

/** Repeats that wait for room. Of those beyond it the count goes on, and the next repeat tells it. */
const maxWaiting = 40;

/** How much room there is, and what waits for some. Small: it is handed on from run to run. */
export interface Pacing {
  /** What is left of each room that is not whole, and since when. */
  left: Partial<Record<Room, { count: number; at: number }>>;
  /** Repeats, longest waiting first: the latest word of each. */
  waiting: EventRecord[];
  /** How many were left out, how many of them have been told of, and when the last was. */
  out?: { count: number; told: number; at: number };
  /** What was left out and is not yet counted by the metric. */
  uncounted?: Partial<Record<DropReason, number>>;
}

const roomOf = ({ change, type, reason }: EventRecord): Room => {
  if (change) return type === 'Warning' ? 'troubles' : 'changes';
  return reason === 'EventsDropped' ? 'notice' : 'deeds';
};

const leftIn = (left: Pacing['left'], room: Room, now: number): { count: number; at: number } => {
  const { most, refillMs } = rooms[room];
  const { count, at } = left[room] ?? { count: most, at: now };
  const gained = Math.max(0, Math.floor((now - at) / refillMs));
  return count + gained >= most ? { count: most, at: now } : { count: count + gained, at: at + gained * refillMs };
};

/** Takes a place in a record's room; undefined where none is left beyond those that are kept from repeats. */
function entered(left: Pacing['left'], record: EventRecord, now: number): Pacing['left'] | undefined {
  const room = roomOf(record);
  const { count, at } = leftIn(left, room, now);
  const kept = record.first === now ? 0 : rooms[room].kept;
  return count > kept ? { ...left, [room]: { count: count - 1, at } } : undefined;
}

/**
 * Lets Events through as far as there is room: first what is new (`first` is now), then repeats, longest waiting first. A
 * repeat for which there is no room waits, and something new is left out.
 *
 * @param isSparing whether what is new and `spared` is told all the same
 */
export function pace(
  pacing: Pacing,
  records: EventRecord[],
  now: number,
  isSparing = false,
): { pacing: Pacing; told: EventRecord[]; leftOut: EventRecord[] } {
  const repeats = new Map(pacing.waiting.map((record) => [record.id, record]));
  for (const record of records) if (record.first !== now) repeats.set(record.id, record);
  let { left } = pacing;
  const [told, untold]: [EventRecord[], EventRecord[]] = [[], []];
  for (const record of [...records.filter(({ first }) => first === now), ...repeats.values()]) {
    const next = entered(left, record, now);
    left = next ?? left;
    const isSpared = isSparing && record.spared === true && record.first === now;
    (next === undefined && !isSpared ? untold : told).push(record);
  }
  const waiting = untold.filter(({ first }) => first !== now).slice(0, maxWaiting);
  return { pacing: { ...pacing, left, waiting }, told, leftOut: untold.filter(({ first }) => first === now) };
}

/** Notes that so many were left out. Those of a time long past, which have been told of, are not counted on. */
export function withLeftOut(pacing: Pacing, count: number, why: DropReason, now: number): Pacing {
  if (count === 0) return pacing;
  const before = pacing.out !== undefined && now - pacing.out.at < repeatWindowMs ? pacing.out : { count: 0, told: 0 };
  return {
    ...pacing,
    out: { ...before, count: before.count + count, at: now },
    uncounted: { ...pacing.uncounted, [why]: (pacing.uncounted?.[why] ?? 0) + count },
  };
}

/** The same, once it is told how many were left out. */
export const withTold = ({ out, ...rest }: Pacing): Pacing => ({
  ...rest,
  ...(out && { out: { ...out, told: out.count } }),
});

/** How many left out Events are to be told of now; undefined where all have been, or it was told only just now. */
export const toldOf = ({ left, out }: Pacing, now: number): number | undefined =>
  out !== undefined && out.count > out.told && leftIn(left, 'notice', now).count > 0 ? out.count : undefined;

/** The same without what says nothing; undefined where all is as at first. */
export function condensed({ left, waiting, out, uncounted }: Pacing, now: number): Pacing | undefined {
  const scarce = Object.entries(left).filter(
    ([room]) => leftIn(left, room as Room, now).count < rooms[room as Room].most,
  );
  const isOver = out === undefined || (out.count === out.told && now - out.at >= repeatWindowMs);
  if (scarce.length === 0 && waiting.length === 0 && isOver && uncounted === undefined) return undefined;
  return { left: Object.fromEntries(scarce), waiting, ...(!isOver && { out }), ...(uncounted && { uncounted }) };
}

/** When there is next room for what waits for some; infinity when nothing does. Epoch milliseconds. */
export function nextRoomAt({ left, waiting, out }: Pacing, now: number): number {
  const isUntold = out !== undefined && out.count > out.told;
  const wanted = new Set([...waiting.map(roomOf), ...(isUntold ? (['notice'] as const) : [])]);
  const refilled = [...wanted].map((room) => leftIn(left, room, now).at + rooms[room].refillMs);
  return Math.min(...refilled, Number.POSITIVE_INFINITY);
}
