import { Outages } from './outages.ts';
import type { Promises } from './promises.ts';

/** What an app knows of its polls. */
export interface PollTally {
  polls: number;
  /** Gaps that were longer than was promised. */
  missed: number;
  /** The longest gap while nothing was away, and of all, in milliseconds. */
  longestCalmMs: number;
  longestMs: number;
}

/** The polls of all apps as the apps see them, by the address that is asked. */
export class PollLedger {
  readonly #promises: Promises;
  readonly #outages: Outages;
  readonly #crowds: Outages;
  readonly #lastAt = new Map<string, number>();
  readonly #tally: PollTally = { polls: 0, missed: 0, longestCalmMs: 0, longestMs: 0 };

  /** @param crowds when the machine had no room: nobody is to blame for a poll that was not made then */
  constructor(promises: Promises, outages: Outages, crowds = new Outages()) {
    this.#promises = promises;
    this.#outages = outages;
    this.#crowds = crowds;
  }

  /** From now on that address is to be polled. */
  expect(address: string, now = Date.now()): void {
    this.#lastAt.set(address, now);
  }

  /** It is not to be polled any more. */
  dismiss(address: string, now = Date.now()): void {
    const last = this.#lastAt.get(address);
    if (last !== undefined) this.#gap(last, now);
    this.#lastAt.delete(address);
  }

  polled(address: string, now = Date.now()): void {
    const last = this.#lastAt.get(address);
    if (last === undefined) return;
    this.#tally.polls += 1;
    this.#gap(last, now);
    this.#lastAt.set(address, now);
  }

  /** Of all polls until now, the gaps that are still open with them. */
  tally(now = Date.now()): PollTally {
    const open = new PollLedger(this.#promises, this.#outages, this.#crowds);
    Object.assign(open.#tally, this.#tally);
    for (const [address, at] of this.#lastAt) {
      open.expect(address, at);
      open.dismiss(address, now);
    }
    return open.#tally;
  }

  #gap(from: number, to: number): void {
    const { intervalMs, handOverMs, recoveryMs } = this.#promises;
    const away = [this.#outages, this.#crowds];
    const isCalm = !away.some((spells) => spells.touch(from, to, recoveryMs));
    const gapMs = to - from;
    this.#tally.longestMs = Math.max(this.#tally.longestMs, gapMs);
    if (isCalm) this.#tally.longestCalmMs = Math.max(this.#tally.longestCalmMs, gapMs);
    const allowedMs = intervalMs + (isCalm ? handOverMs : recoveryMs);
    const awayMs = away.reduce((sum, spells) => sum + spells.awayMs(from, to), 0);
    if (gapMs - awayMs > allowedMs) this.#tally.missed += 1;
  }
}
