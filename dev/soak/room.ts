import { type Loop, startLoop } from '../../src/lifecycle/loop.ts';
import { strain } from '../../test/support/pace.ts';
import { Outages } from './outages.ts';

const everyMs = 1_000;
/** So many times slower than alone this process is where the machine has no room. A soak that has it for itself makes it three. */
const crowdedFrom = 5;

/** Whether the machine has room for what runs on it. */
export class Room {
  /** When it had none. */
  readonly crowds = new Outages();
  #slowest = 1;

  /** Looks every second. */
  look(): Loop {
    return startLoop(async () => {
      this.note(strain());
      return everyMs;
    });
  }

  /** It is so many times slower than it would be alone. */
  note(slower: number, now = Date.now()): void {
    this.#slowest = Math.max(this.#slowest, slower);
    if (slower >= crowdedFrom === this.crowds.isNow) return;
    if (this.crowds.isNow) this.crowds.end(now);
    else this.crowds.begin(now);
  }

  tally(now = Date.now()): { crowdedMs: number; slowest: number } {
    return { crowdedMs: this.crowds.awayMs(0, now), slowest: this.#slowest };
  }
}
