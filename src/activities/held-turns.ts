/** Of which objects a turn is held in this process, by uid, and which are without one for how long. */
export class HeldTurns {
  readonly #held = new Set<string>();
  /** Since when, in milliseconds of a clock that never goes back. */
  readonly #missing = new Map<string, number>();
  /** Who waits for the turn of an object. */
  readonly #waiting = new Map<string, () => void>();

  has(uid: string): boolean {
    return this.#held.has(uid);
  }

  get size(): number {
    return this.#held.size;
  }

  add(uid: string): void {
    this.#held.add(uid);
    this.#waiting.get(uid)?.();
    this.#missing.delete(uid);
  }

  /** It has ended, or is somewhere else: the next one is expected. */
  remove(uid: string): void {
    this.#held.delete(uid);
    this.expect(uid);
  }

  /**
   * One is on its way to here, or will be so many milliseconds later at most. It may be given to somebody who stands still, and then
   * has to be asked for again.
   */
  expect(uid: string, laterMs = 0): void {
    if (!this.#held.has(uid)) this.#missing.set(uid, performance.now() + laterMs);
  }

  /** Resolves when a turn of that object is held here, or so many milliseconds later. */
  async heldWithin(uid: string, ms: number): Promise<void> {
    if (this.#held.has(uid)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.set(uid, resolve);
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(uid);
  }

  /** None is expected any more. */
  forget(uid: string): void {
    this.#missing.delete(uid);
  }

  /** Uids of which no turn has come back for so many milliseconds. */
  missingFor(ms: number): string[] {
    const before = performance.now() - ms;
    return [...this.#missing].filter(([, since]) => since <= before).map(([uid]) => uid);
  }
}
