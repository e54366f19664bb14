import type { Outages } from './outages.ts';
import type { Promises } from './promises.ts';

/** A change that an app made of what it says. */
export interface Flip {
  /** What its status is from now on: no other flip has that word. */
  word: string;
  /** Whether the app says that it is unhealthy, so that its rule is to call once. */
  isIll: boolean;
  at: number;
  /** Uids of the Events that tell it, and under which ids it was called. */
  events: Set<string>;
  calls: Set<string>;
  /** How often the Events say that it happened. */
  told: number;
  /** When it was first told, and by then called. */
  seenAt?: number;
  /** Its app was deleted before it was told: nothing is promised. */
  isDropped: boolean;
}

/** What became of the flips. */
export interface FlipTally {
  flips: number;
  told: number;
  /** Told later than promised while nothing was away, or not yet. */
  late: number;
  /** Nobody has told them for so long that nobody will. */
  missed: number;
  doubled: number;
  calls: { due: number; made: number; lost: number; doubled: number };
  /** Milliseconds from flip to Event while nothing was away: of half of them at most, and of 99 in 100. */
  seenWithinMs: { p50: number; p99: number };
}

/** No digits, which make an id of a word, and no letters that are digits of a hash. */
const letters = 'ghjklmnpqrstvwxz';

/** A word for each number. */
export const wordOf = (n: number): string =>
  [...n.toString(16).padStart(6, '0')].map((digit) => letters[Number.parseInt(digit, 16)]).join('');

const percentile = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** All flips, what was told of each, and who was called for it. */
export class FlipLedger {
  readonly #promises: Promises;
  readonly #outages: Outages;
  readonly #byWord = new Map<string, Flip>();

  constructor(promises: Promises, outages: Outages) {
    this.#promises = promises;
    this.#outages = outages;
  }

  make(isIll: boolean, now = Date.now()): Flip {
    const word = wordOf(this.#byWord.size);
    const flip: Flip = { word, isIll, at: now, events: new Set(), calls: new Set(), told: 0, isDropped: false };
    this.#byWord.set(word, flip);
    return flip;
  }

  /** An Event tells of a word for the `count`th time. */
  told(word: string, uid: string, count: number, now = Date.now()): void {
    const flip = this.#byWord.get(word);
    if (flip === undefined) return;
    flip.events.add(uid);
    flip.told = Math.max(flip.told, count);
    flip.seenAt ??= now;
  }

  called(word: string, id: string): void {
    this.#byWord.get(word)?.calls.add(id);
  }

  /** Whether all that is due for it was seen. */
  isDone({ events, isIll, calls }: Flip): boolean {
    return events.size > 0 && (!isIll || calls.size > 0);
  }

  /** Whether the app may say something else: all that is due for this was seen, or it has stood for so long that it is lost. */
  mayGo(flip: Flip, now = Date.now()): boolean {
    if (this.isDone(flip)) return true;
    return !this.#outages.isNow && now - this.#outages.calmSince(flip.at) > this.#promises.lostAfterMs;
  }

  #isLate({ at, seenAt, isDropped }: Flip, now: number): boolean {
    const { intervalMs, handOverMs, recoveryMs } = this.#promises;
    const until = seenAt ?? (isDropped ? at : now);
    return until - at > intervalMs + handOverMs && !this.#outages.touch(at, until, recoveryMs);
  }

  /** Its app is deleted. */
  drop(flip: Flip): void {
    if (!this.isDone(flip)) flip.isDropped = true;
  }

  /** What is known of the flips that were lost or doubled, a line each. */
  complaints(now = Date.now()): string[] {
    return [...this.#byWord.values()]
      .filter((flip) => !flip.isDropped && this.mayGo(flip, now) && this.#isWrong(flip))
      .map(({ word, isIll, at, told, events, calls }) =>
        [
          word,
          new Date(at).toISOString(),
          isIll ? 'ill' : 'well',
          `told ${told} times in ${events.size} Events`,
          ...calls,
        ].join(' '),
      );
  }

  #isWrong({ events, told, calls, isIll }: Flip): boolean {
    return events.size !== 1 || told !== 1 || calls.size !== (isIll ? 1 : 0);
  }

  tally(now = Date.now()): FlipTally {
    const all = [...this.#byWord.values()];
    const judged = all.filter((flip) => !flip.isDropped && this.mayGo(flip, now));
    const ill = judged.filter(({ isIll }) => isIll);
    const { recoveryMs } = this.#promises;
    const calm = all.filter(({ at, seenAt = 0 }) => seenAt > 0 && !this.#outages.touch(at, seenAt, recoveryMs));
    const tookMs = calm.map(({ at, seenAt = 0 }) => seenAt - at).sort((a, b) => a - b);
    return {
      flips: all.length,
      told: all.filter(({ events }) => events.size > 0).length,
      late: all.filter((flip) => this.#isLate(flip, now)).length,
      missed: judged.filter(({ events }) => events.size === 0).length,
      doubled: all.filter(({ events, told }) => events.size > 1 || told > 1).length,
      calls: {
        due: ill.length,
        made: all.filter(({ calls }) => calls.size > 0).length,
        lost: ill.filter(({ calls }) => calls.size === 0).length,
        doubled: all.filter(({ calls, isIll }) => calls.size > (isIll ? 1 : 0)).length,
      },
      seenWithinMs: { p50: percentile(tookMs, 0.5), p99: percentile(tookMs, 0.99) },
    };
  }
}
