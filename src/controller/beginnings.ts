import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectRef } from '../domain/refs.ts';

/** One look, and what became of it. */
interface Looked {
  /** When it ended, by a clock that never goes back; absent until then. */
  at?: number;
  /** Resolves when it has ended. */
  ended: Promise<void>;
  seen?: object;
}

/** Whoever answers does so in less; the others are not waited for. */
const patienceMs = 250;
/** What was seen longer ago is no beginning any more. */
const believedMs = 10_000;
/** More is left to an observation of the workflow's own: what it starts with stands in its history for ever. */
const maxChars = 64 * 1024;

/**
 * What workflows begin with: their owner has looked at the object already, so that they start with an observation instead of asking
 * for one. That is most of what a start costs.
 */
export class Beginnings {
  readonly #look: (app: ObjectRef) => Promise<object | undefined>;
  /** By uid, until the workflow is there. */
  readonly #looked = new Map<string, Looked>();

  constructor(look: (app: ObjectRef) => Promise<object | undefined>) {
    this.#look = look;
  }

  /**
   * What the workflow of that object may begin with; it begins without where the look has failed, or was long ago.
   *
   * @returns a promise to wait for instead, where the look takes long
   */
  async of(app: ObjectRef): Promise<{ seen?: object } | { later: Promise<void> }> {
    const looked = this.#looked.get(app.uid) ?? this.#begin(app);
    if (looked.at === undefined) await Promise.race([looked.ended, sleep(patienceMs)]);
    if (looked.at === undefined) return { later: looked.ended };
    return looked.seen !== undefined && performance.now() - looked.at < believedMs ? { seen: looked.seen } : {};
  }

  /** The workflow is there, or is not to be. */
  forget(uid: string): void {
    this.#looked.delete(uid);
  }

  #begin(app: ObjectRef): Looked {
    const looked: Looked = { ended: Promise.resolve() };
    this.#looked.set(app.uid, looked);
    looked.ended = this.#look(app)
      .catch(() => undefined)
      .then((seen) => {
        looked.at = performance.now();
        if (seen !== undefined && JSON.stringify(seen).length <= maxChars) looked.seen = seen;
      });
    return looked;
  }
}
