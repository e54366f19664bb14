import { setTimeout as sleep } from 'node:timers/promises';
import type { Lookout } from '../activities/lookouts.ts';
import type { ObjectRef } from '../domain/refs.ts';

/** Whoever answers does so in less; the others are not waited for. */
const patienceMs = 250;
/** More is left to an observation of the workflow's own: what it starts with stands in its history for ever. */
const maxChars = 64 * 1024;

/** Posts a lookout; undefined for an object that is not watched before its workflow is there. */
type Post = (app: ObjectRef, onNews: () => void) => Lookout | undefined;

/**
 * What workflows begin with: their owner watches the object already, so that they start with an observation instead of asking
 * for one, which is most of what a start costs; and so that who waits in a long line to begin is watched all the same.
 */
export class Beginnings {
  readonly #post: Post;
  /** By uid, until the workflow is there. */
  readonly #lookouts = new Map<string, Lookout>();

  constructor(post: Post) {
    this.#post = post;
  }

  has(uid: string): boolean {
    return this.#lookouts.has(uid);
  }

  /** Watches an object, unless that is done already. `onNews`: it is no more what its workflow would begin with. */
  watch(app: ObjectRef, onNews: () => void): void {
    if (this.has(app.uid)) return;
    const lookout = this.#post(app, onNews);
    if (lookout !== undefined) this.#lookouts.set(app.uid, lookout);
  }

  /**
   * What the workflow of that object may begin with; it begins without where the look has failed, or has seen too much.
   *
   * @returns a promise to wait for instead, where the look takes long
   */
  async of({ uid }: ObjectRef): Promise<{ seen?: object } | { later: Promise<void> }> {
    const lookout = this.#lookouts.get(uid);
    if (lookout === undefined) return {};
    const looked = lookout.looked.then(() => true);
    if (!(await Promise.race([looked, sleep(patienceMs, false)]))) return { later: lookout.looked };
    const { seen } = lookout;
    return seen !== undefined && JSON.stringify(seen).length <= maxChars ? { seen } : {};
  }

  /** The workflow is there, or is not to be. */
  forget(uid: string): void {
    this.#lookouts.get(uid)?.end();
    this.#lookouts.delete(uid);
  }
}
