import { fnv1a } from './hash.ts';
import type { JsonObject } from './json.ts';

/** What of a status is worth a write: all of it but the time of the last poll, and of the writing. */
export function statusDigest(status: JsonObject): string {
  const { lastPoll, revision, ...rest } = status;
  return fnv1a(JSON.stringify(rest)).toString(36);
}
