/** Items by key of a work queue: those that wait, the keys of those under way, and how often each key has failed in a row. */
export class KeyedItems<Item> {
  readonly #merge: (waiting: Item, added: Item) => Item;
  readonly #rankOf: (item: Item) => number;
  /** Keys of `#waiting` by the rank of their item, in the order of their coming. */
  readonly #lines: Set<string>[] = [];
  readonly #waiting = new Map<string, Item>();
  readonly #busy = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(merge: (waiting: Item, added: Item) => Item, rankOf: (item: Item) => number = () => 0) {
    this.#merge = merge;
    this.#rankOf = rankOf;
  }

  /** Keys whose work is not done: waiting, under way, or to be tried again. */
  get size(): number {
    return new Set([...this.#waiting.keys(), ...this.#busy, ...this.#failures.keys()]).size;
  }

  /** Items under way. */
  get busy(): number {
    return this.#busy.size;
  }

  add(key: string, item: Item): void {
    const earlier = this.#waiting.get(key);
    this.#put(key, earlier === undefined ? item : this.#merge(earlier, item));
  }

  #put(key: string, item: Item): void {
    this.#waiting.set(key, item);
    const rank = this.#rankOf(item);
    for (const [other, line] of this.#lines.entries()) if (other !== rank) line?.delete(key);
    this.#lines[rank] = (this.#lines[rank] ?? new Set()).add(key);
  }

  /** The one that has waited longest, of those of the first rank that there are, and whose key is not under way. */
  next(): [key: string, item: Item] | undefined {
    for (const line of this.#lines) {
      for (const key of line ?? []) {
        const item = this.#waiting.get(key);
        if (item !== undefined && !this.#busy.has(key)) return [key, item];
      }
    }
    return undefined;
  }

  begin(key: string): void {
    this.#waiting.delete(key);
    for (const line of this.#lines) line?.delete(key);
    this.#busy.add(key);
  }

  succeed(key: string): void {
    this.#busy.delete(key);
    this.#failures.delete(key);
  }

  /** How often the key has failed since it last succeeded. */
  fail(key: string): number {
    this.#busy.delete(key);
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    return failures;
  }

  /** Joins a failed item with what came in the meantime and is newer; false when nothing came. */
  joinNewer(key: string, failed: Item): boolean {
    const newer = this.#waiting.get(key);
    if (newer !== undefined) this.#put(key, this.#merge(failed, newer));
    return newer !== undefined;
  }
}
