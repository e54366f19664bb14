import { type Changes, changesOf, type StatePair } from '../../domain/diff.ts';

/** The fields that differ, by subject: the pure comparison as an activity of its own, so that it shows in the history. */
export const diff = async (pairs: StatePair[], ignoreFields: readonly string[]): Promise<Changes> =>
  changesOf(pairs, ignoreFields);
