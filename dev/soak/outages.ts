/** When something that is needed was away: the operator and its servers, or room on the machine. Epoch milliseconds. */
export class Outages {
  readonly #all: { from: number; to: number }[] = [];

  begin(now = Date.now()): void {
    this.#all.push({ from: now, to: Number.POSITIVE_INFINITY });
  }

  end(now = Date.now()): void {
    const last = this.#all.at(-1);
    if (last !== undefined) last.to = now;
  }

  get isNow(): boolean {
    return this.#all.at(-1)?.to === Number.POSITIVE_INFINITY;
  }

  /** Milliseconds of a time during which something was away. */
  awayMs(from: number, to: number): number {
    return this.#all.reduce((sum, each) => sum + Math.max(0, Math.min(to, each.to) - Math.max(from, each.from)), 0);
  }

  /** Whether something was away in that time, or was so until at most `afterMs` before it. */
  touch(from: number, to: number, afterMs = 0): boolean {
    return this.#all.some((each) => each.from < to && each.to + afterMs > from);
  }

  /** Since when nothing is away; `from` when it was there all the time since then. */
  calmSince(from: number): number {
    return Math.max(from, this.#all.at(-1)?.to ?? from);
  }
}
