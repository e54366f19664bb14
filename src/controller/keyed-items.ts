/** Items by key of a work queue: those that wait, the keys of those under way, and how often each key has failed in a row. */
export class KeyedItems<Item> {
  readonly #merge: (waiting: Item, added: Item) => Item;
  readonly #waiting = new Map<string, Item>();
  readonly #busy = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(merge: (waiting: Item, added: Item) => Item) {
    this.#merge = merge;
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
    this.#waiting.set(key, earlier === undefined ? item : this.#merge(earlier, item));
  }

  /** The one that has waited longest and whose key is not under way. */
  next(): [key: string, item: Item] | undefined {
    for (const entry of this.#waiting) if (!this.#busy.has(entry[0])) return entry;
    return undefined;
  }

  begin(key: string): void {
    this.#waiting.delete(key);
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
    if (newer !== undefined) this.#waiting.set(key, this.#merge(failed, newer));
    return newer !== undefined;
  }
}
