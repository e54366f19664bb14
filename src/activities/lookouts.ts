import type { ObjectRef } from '../domain/refs.ts';

/** Who watches an object until its workflow is there: the workflow begins with what was seen, and may begin later for that. */
export interface Lookout {
  /** Resolves when the object was looked at once, whatever came of it. */
  readonly looked: Promise<void>;
  /** What its workflow would have observed first; absent as long as nothing was, or where that failed. */
  readonly seen?: object;
  /** Ends it. */
  end(): void;
}

/** @param onNews called once, when the object is no more what was seen: its workflow is to begin soon */
export type PostLookout = (app: ObjectRef, onNews: () => void) => Lookout;

/** How objects are watched whose workflows are about to begin, by kind. */
export class Lookouts {
  readonly #posts = new Map<string, PostLookout>();

  offer(kind: string, post: PostLookout): void {
    this.#posts.set(kind, post);
  }

  /** Undefined for a kind that is not watched before its workflow is there. */
  post(kind: string, app: ObjectRef, onNews: () => void): Lookout | undefined {
    return this.#posts.get(kind)?.(app, onNews);
  }
}
