import type { Changes } from '../domain/decide.ts';
import { changesBetween } from '../domain/diff.ts';
import type { Json } from '../domain/json.ts';

/** Two states of one subject. */
export interface StatePair {
  subject: string;
  before: Json;
  after: Json;
}

/** The fields that differ, by subject: the pure comparison as an activity of its own, so that it shows in the history. */
export const diff = async (pairs: StatePair[], ignoreFields: readonly string[]): Promise<Changes> =>
  Object.fromEntries(pairs.map(({ subject, before, after }) => [subject, changesBetween(before, after, ignoreFields)]));
