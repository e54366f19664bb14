import { secondsOf } from '../../domain/seconds.ts';
import type { OverduePolls } from '../../telemetry/metrics/target-app/target-app.ts';

/** A poll has its own deadline, and waits for what goes before it; what takes longer than this is more than that. */
const lateMs = 30_000;

/** When the next poll of each TargetApp ought to begin, by uid; epoch milliseconds. A poll is due until it has ended. */
export class DuePolls {
  readonly #at = new Map<string, number>();

  expect(uid: string, at: number): void {
    this.#at.set(uid, at);
  }

  /** That time, until the poll has ended; infinite where none is due. */
  at(uid: string): number {
    return this.#at.get(uid) ?? Number.POSITIVE_INFINITY;
  }

  /** None is due: it is stopped, or somebody else's. */
  forget(uid: string): void {
    this.#at.delete(uid);
  }

  /** Those of this replica that are late. */
  overdue(isMine: (uid: string) => boolean, now = Date.now()): OverduePolls {
    const sinceMs = [...this.#at].filter(([uid]) => isMine(uid)).map(([, at]) => now - at);
    const longestMs = sinceMs.reduce((longest, ms) => Math.max(longest, ms), 0);
    return { count: sinceMs.filter((ms) => ms > lateMs).length, longestSeconds: secondsOf(longestMs) };
  }
}
