import type { ObjectRef } from '../domain/refs.ts';

/** Looks at an object as the first observation of its workflow would, and tells what that would; undefined where it does not. */
export type Look = (app: ObjectRef) => Promise<object | undefined>;

/** How objects are looked at whose workflows are about to begin, by kind. */
export class FirstLooks {
  readonly #looks = new Map<string, Look>();

  offer(kind: string, look: Look): void {
    this.#looks.set(kind, look);
  }

  /** Resolves with undefined for a kind that does not look. */
  async at(kind: string, app: ObjectRef): Promise<object | undefined> {
    return this.#looks.get(kind)?.(app);
  }
}
