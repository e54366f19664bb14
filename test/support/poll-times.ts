import type { SampleApp } from '../../dev/sample-app/app.ts';

/** What the apps themselves have seen of their polls since a moment. Milliseconds. */
export interface PollTimes {
  polls: number;
  /** The longest time in which one app was not polled. */
  longestGapMs: number;
  /** The moment of the last poll that came again within half an interval; undefined when none did. */
  lastDoubledAt: number | undefined;
  doubled: number;
}

/** Writes down every poll of the apps at these addresses. */
export interface PollTimesLedger {
  /** Of the polls from then until now, and of the gaps of which any part is in that time. */
  since(from: number): PollTimes;
}

/** Begins a ledger of polls that are due at these addresses every `intervalMs`. */
export function pollTimes(app: SampleApp, addresses: readonly string[], intervalMs: number): PollTimesLedger {
  const times = new Map(addresses.map((address): [string, number[]] => [address, [Date.now()]]));
  app.onRequest((address) => times.get(address)?.push(Date.now()));
  return {
    since: (from) => {
      const found: PollTimes = { polls: 0, longestGapMs: 0, lastDoubledAt: undefined, doubled: 0 };
      const now = Date.now();
      for (const all of times.values()) {
        for (const [index, at] of [...all, now].entries()) {
          const before = all[index - 1];
          if (at < from || before === undefined) continue;
          found.longestGapMs = Math.max(found.longestGapMs, at - before);
          if (index === all.length) continue;
          found.polls += 1;
          if (at - before >= intervalMs / 2) continue;
          found.doubled += 1;
          found.lastDoubledAt = Math.max(found.lastDoubledAt ?? 0, at);
        }
      }
      return found;
    },
  };
}
