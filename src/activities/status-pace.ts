import type { Json } from '../domain/json.ts';
import { rememberLatest } from '../domain/remember-latest.ts';
import { fullBucket, type Rate, type TokenBucket, takeToken } from '../domain/token-bucket.ts';

/** Statuses of one object: an app that says something else at every poll is not to be a write at every poll. */
const rate: Rate = { burst: 20, perSecond: 1 / 5 };
/** Of which it is remembered. What is forgotten has all its room. */
const remembered = 10_000;

/** How often the status of each object may be written by this process. */
export class StatusPace {
  readonly #known = new Map<string, { bucket: TokenBucket; generation: Json | undefined }>();

  /**
   * Milliseconds until a status may be written; 0: now, and it counts as written. The first one of another generation of the spec
   * may always, because somebody waits for it.
   *
   * @param now milliseconds of a clock that never goes back
   */
  take(uid: string, generation: Json | undefined, now = performance.now()): number {
    const known = this.#known.get(uid) ?? { bucket: fullBucket(rate, now), generation };
    const { bucket, taken, waitMs } = takeToken(known.bucket, rate, now, 0);
    rememberLatest(this.#known, uid, { bucket, generation }, remembered);
    return taken || known.generation !== generation ? 0 : waitMs;
  }
}
