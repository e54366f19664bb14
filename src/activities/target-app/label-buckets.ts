import { own } from '../../domain/json.ts';
import { type LabelSelector, type RequiredValues, requiredValues } from '../../domain/selector.ts';
import type { IndexedPod, PodSelection } from './pod-selection.ts';

/** The pods with one value of a label, and the selections that are looked at when a pod with it changes. */
interface Bucket {
  pods: Set<IndexedPod>;
  selections: Set<PodSelection>;
}

/** The pods of one namespace by label; only by the keys of which selectors require a value. */
export class LabelBuckets {
  readonly #all: ReadonlyMap<string, IndexedPod>;
  /** By key and value. */
  readonly #buckets = new Map<string, Map<string, Bucket>>();

  /** @param all the pods that there are, whenever it looks */
  constructor(all: ReadonlyMap<string, IndexedPod>) {
    this.#all = all;
  }

  /** Of what a selector requires that which the fewest pods have; undefined when it requires no value of a label. */
  anchorOf(selector: LabelSelector): RequiredValues | undefined {
    let anchor: RequiredValues | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const required of requiredValues(selector)) {
      const byValue = this.#byValue(required.key);
      const pods = required.values.reduce((sum, value) => sum + (byValue.get(value)?.pods.size ?? 0), 0);
      if (pods < fewest) [anchor, fewest] = [required, pods];
    }
    return anchor;
  }

  /** From now on the selection is looked at when pods with these values change. Returns those that there are. */
  join({ key, values }: RequiredValues, selection: PodSelection): IndexedPod[] {
    const buckets = values.map((value) => bucketIn(this.#byValue(key), value));
    for (const { selections } of buckets) selections.add(selection);
    return buckets.flatMap(({ pods }) => [...pods]);
  }

  leave({ key, values }: RequiredValues, selection: PodSelection): void {
    for (const value of values)
      this.#change(this.#byValue(key), value, ({ selections }) => selections.delete(selection));
  }

  /** Takes a pod in. Returns the selections that may select it. */
  add(indexed: IndexedPod): PodSelection[] {
    return this.#changeAll(indexed, ({ pods }) => pods.add(indexed));
  }

  /** The opposite, before the labels of the pod change. */
  remove(indexed: IndexedPod): PodSelection[] {
    return this.#changeAll(indexed, ({ pods }) => pods.delete(indexed));
  }

  clear(): void {
    this.#buckets.clear();
  }

  #byValue(key: string): Map<string, Bucket> {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const byValue = new Map<string, Bucket>();
    for (const indexed of this.#all.values()) {
      const value = own(indexed.pod.labels, key);
      if (value !== undefined) bucketIn(byValue, value).pods.add(indexed);
    }
    this.#buckets.set(key, byValue);
    return byValue;
  }

  #changeAll(indexed: IndexedPod, change: (bucket: Bucket) => void): PodSelection[] {
    return Object.entries(indexed.pod.labels).flatMap(([key, value]) => {
      const byValue = this.#buckets.get(key);
      return byValue === undefined ? [] : [...this.#change(byValue, value, change)];
    });
  }

  #change(byValue: Map<string, Bucket>, value: string, change: (bucket: Bucket) => void): Bucket['selections'] {
    const bucket = bucketIn(byValue, value);
    change(bucket);
    if (bucket.pods.size + bucket.selections.size === 0) byValue.delete(value);
    return bucket.selections;
  }
}

function bucketIn(byValue: Map<string, Bucket>, value: string): Bucket {
  const known = byValue.get(value) ?? { pods: new Set(), selections: new Set() };
  byValue.set(value, known);
  return known;
}
