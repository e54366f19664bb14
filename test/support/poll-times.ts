import type { SampleApp } from '../../dev/sample-app/app.ts';

/** What the apps themselves have seen of their polls in a time. */
export interface PollTimes {
  polls: number;
  /** Of the app that was polled most. */
  mostPolls: number;
  /** The longest time in which an app was not polled, milliseconds. */
  longestGapMs: number;
  /** The longest time from its beginning until an app was polled, milliseconds. */
  longestWaitMs: number;
  /** By how much 99 of 100 gaps differed from the interval at most, milliseconds. */
  p99OffMs: number;
  /** Polls that came within half an interval of the one before. */
  doubled: number;
}

/** Writes down every poll of some apps. */
export interface PollTimesLedger {
  /** Of the time from then until now, and of the gaps of which a part is in it; of these addresses, by default all. */
  since(from: number, addresses?: readonly string[]): PollTimes;
  /** When an address was first polled at that time or later. */
  firstFrom(at: number, address: string): number | undefined;
}

/** Begins to write down the polls that are due at these addresses every `intervalMs`. */
export function pollTimes(
  app: Pick<SampleApp, 'onRequest'>,
  all: readonly string[],
  intervalMs: number,
): PollTimesLedger {
  const begun = Date.now();
  const times = new Map(all.map((address): [string, number[]] => [address, []]));
  app.onRequest((address) => times.get(address)?.push(Date.now()));
  const of = (address: string): number[] => times.get(address) ?? [];
  const firstFrom: PollTimesLedger['firstFrom'] = (from, address) => of(address).find((at) => at >= from);
  /** Milliseconds from one to the next, the last of them to now, which end in that time. */
  const gapsOf = (address: string, from: number, now: number): number[] =>
    [...of(address), now].flatMap((at, index, each) => (at < from ? [] : [at - (each[index - 1] ?? begun)]));
  return {
    firstFrom,
    since: (from, addresses = all) => {
      const now = Date.now();
      const gaps = addresses.map((address) => gapsOf(address, from, now));
      // The last gap is still open.
      const counts = gaps.map(({ length }) => length - 1);
      const ended = gaps.flatMap((each) => each.slice(0, -1));
      const off = ended.map((ms) => Math.abs(ms - intervalMs)).sort((a, b) => a - b);
      return {
        polls: ended.length,
        mostPolls: Math.max(...counts),
        longestGapMs: Math.max(...gaps.flat()),
        longestWaitMs: Math.max(...addresses.map((address) => (firstFrom(from, address) ?? now) - from)),
        p99OffMs: off[Math.floor(off.length * 0.99)] ?? 0,
        doubled: ended.filter((ms) => ms < intervalMs / 2).length,
      };
    },
  };
}
