import { isSelected, type LabelSelector } from '../../domain/selector.ts';
import type { PodView } from './pod-view.ts';

/** A pod for the whole of its life, so that whoever has it sees its latest view. */
export interface IndexedPod {
  pod: PodView;
  /** Which of the pods it was to come. */
  readonly order: number;
}

/** What one selector selects. */
export class PodSelection {
  readonly #selector: LabelSelector;
  #selected = new Set<IndexedPod>();
  #newest = -1;
  #isInOrder = true;

  constructor(selector: LabelSelector) {
    this.#selector = selector;
  }

  /** Takes it in if it is selected. */
  consider(indexed: IndexedPod): void {
    if (!isSelected(this.#selector, indexed.pod.labels)) return;
    this.#selected.add(indexed);
    // One that got its labels later stands where it came.
    if (indexed.order < this.#newest) this.#isInOrder = false;
    else this.#newest = indexed.order;
  }

  drop(indexed: IndexedPod): void {
    this.#selected.delete(indexed);
  }

  pods(): PodView[] {
    if (!this.#isInOrder) this.#selected = new Set([...this.#selected].sort((one, other) => one.order - other.order));
    this.#isInOrder = true;
    return Array.from(this.#selected, ({ pod }) => pod);
  }
}
