import type { SampleApp } from '../../dev/sample-app/app.ts';

/** What the apps themselves have seen of their polls in a time. */
export interface PollTimes {
  polls: number;
  /** Of the app that was polled most. */
  mostPolls: number;
  /** The longest time in which an app was not polled, milliseconds. */
  longestGapMs: number;
  /** Polls that came within half an interval of the one before. */
  doubled: number;
}

/** Writes down every poll of some apps. */
export interface PollTimesLedger {
  /** Of the time from then until now, and of the gaps of which a part is in it. */
  since(from: number): PollTimes;
}

/** Begins to write down the polls that are due at these addresses every `intervalMs`. */
export function pollTimes(app: SampleApp, addresses: readonly string[], intervalMs: number): PollTimesLedger {
  const begun = Date.now();
  const times = new Map(addresses.map((address): [string, number[]] => [address, []]));
  app.onRequest((address) => times.get(address)?.push(Date.now()));
  /** Milliseconds from one to the next, the last of them to now, which end in that time. */
  const gapsOf = (all: number[], from: number): number[] =>
    [...all, Date.now()].flatMap((at, index) => (at < from ? [] : [at - (all[index - 1] ?? begun)]));
  return {
    since: (from) => {
      const gaps = [...times.values()].map((all) => gapsOf(all, from));
      // The last gap is still open.
      const ended = gaps.map((each) => each.slice(0, -1));
      return {
        polls: ended.flat().length,
        mostPolls: Math.max(...ended.map(({ length }) => length)),
        longestGapMs: Math.max(...gaps.flat()),
        doubled: ended.flat().filter((ms) => ms < intervalMs / 2).length,
      };
    },
  };
}
