import { fnv1a } from './hash.ts';
import type { JsonObject } from './json.ts';

/** What of a status is worth a write: all of it but when and by whom it was polled last, and the time of the writing. */
export function statusDigest(status: JsonObject): string {
  const { lastPoll, watchedBy, revision, ...rest } = status;
  return fnv1a(JSON.stringify(rest)).toString(36);
}
