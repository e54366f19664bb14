/** Items by key of a work queue: those that wait, the keys of those under way, and how often each key has failed in a row. */
export class KeyedItems<Item> {
  readonly #merge: (waiting: Item, added: Item) => Item;
  readonly #isUrgent: (item: Item) => boolean;
  /** Keys of `#waiting` whose item is urgent, in the order of their coming. */
  readonly #urgent = new Set<string>();
  readonly #waiting = new Map<string, Item>();
  readonly #busy = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(merge: (waiting: Item, added: Item) => Item, isUrgent: (item: Item) => boolean = () => false) {
    this.#merge = merge;
    this.#isUrgent = isUrgent;
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
    if (this.#isUrgent(item)) this.#urgent.add(key);
  }

  /** The one that has waited longest, of the urgent ones if there are any, and whose key is not under way. */
  next(): [key: string, item: Item] | undefined {
    for (const key of this.#urgent) {
      const item = this.#waiting.get(key);
      if (item !== undefined && !this.#busy.has(key)) return [key, item];
    }
    for (const entry of this.#waiting) if (!this.#busy.has(entry[0])) return entry;
    return undefined;
  }

  begin(key: string): void {
    this.#waiting.delete(key);
    this.#urgent.delete(key);
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
