import type { LabelSelector, RequiredValues } from '../../domain/selector.ts';
import { LabelBuckets } from './label-buckets.ts';
import { type IndexedPod, PodSelection } from './pod-selection.ts';
import type { PodView } from './pod-view.ts';

/** A selection that is kept up to date. */
interface Kept {
  selection: PodSelection;
  /** Where pods are looked for that it may select; undefined: among all. */
  anchor: RequiredValues | undefined;
  askedAt: number;
}

const isSame = (one: PodView['labels'], other: PodView['labels']): boolean => {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
};

/** The pods of one namespace, by uid and by the selectors that are asked for. */
export class NamespacePods {
  readonly #byUid = new Map<string, IndexedPod>();
  readonly #buckets = new LabelBuckets(this.#byUid);
  readonly #kept = new Map<string, Kept>();
  /** Those that require no value of a label. */
  readonly #unanchored = new Set<PodSelection>();
  #came = 0;

  get isEmpty(): boolean {
    return this.#byUid.size + this.#kept.size === 0;
  }

  find(uid: string): PodView | undefined {
    return this.#byUid.get(uid)?.pod;
  }

  put(pod: PodView): void {
    const known = this.#byUid.get(pod.uid);
    const indexed = known ?? { pod, order: this.#came++ };
    const keepsLabels = known !== undefined && isSame(known.pod.labels, pod.labels);
    if (known === undefined) this.#byUid.set(pod.uid, indexed);
    else if (!keepsLabels) this.#unselect(known);
    indexed.pod = pod;
    if (!keepsLabels) this.#select(indexed);
  }

  remove({ uid }: PodView): void {
    const known = this.#byUid.get(uid);
    if (known === undefined) return;
    this.#byUid.delete(uid);
    this.#unselect(known);
  }

  selected(selector: LabelSelector, now: number): PodView[] {
    const key = JSON.stringify(selector);
    const kept = this.#kept.get(key) ?? this.#fill(selector);
    kept.askedAt = now;
    this.#kept.set(key, kept);
    return kept.selection.pods();
  }

  /** Drops the selections that were not asked for since then. */
  forget(since: number): void {
    for (const [key, { selection, anchor, askedAt }] of this.#kept) {
      if (askedAt >= since) continue;
      this.#kept.delete(key);
      this.#unanchored.delete(selection);
      if (anchor !== undefined) this.#buckets.leave(anchor, selection);
    }
    if (this.#kept.size === 0) this.#buckets.clear();
  }

  #fill(selector: LabelSelector): Kept {
    const selection = new PodSelection(selector);
    const anchor = this.#buckets.anchorOf(selector);
    if (anchor === undefined) this.#unanchored.add(selection);
    const candidates = anchor === undefined ? this.#byUid.values() : this.#buckets.join(anchor, selection);
    for (const indexed of candidates) selection.consider(indexed);
    return { selection, anchor, askedAt: 0 };
  }

  #select(indexed: IndexedPod): void {
    for (const selection of this.#unanchored) selection.consider(indexed);
    for (const selection of this.#buckets.add(indexed)) selection.consider(indexed);
  }

  #unselect(indexed: IndexedPod): void {
    for (const selection of this.#unanchored) selection.drop(indexed);
    for (const selection of this.#buckets.remove(indexed)) selection.drop(indexed);
  }
}
