import { isJsonObject, type Json } from './json.ts';

/** Words that mean trouble wherever they stand in a value, be it a sentence or DATABASE_DOWN. */
const trouble =
  /(?<![a-z])(critical|crashed|degraded|down|error|failed|failing|failure|fatal|offline|unavailable|unhealthy)(?![a-z])/i;

/** How many texts in a value mean trouble. */
function troublesIn(value: Json | undefined): number {
  if (typeof value === 'string') return trouble.test(value) ? 1 : 0;
  const inside = Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
  return inside.reduce<number>((sum, each) => sum + troublesIn(each), 0);
}

/** Whether a change is one for the worse: to a text that means trouble, or to a list or an object with more of them in it. */
export const isForTheWorse = (before: Json | undefined, after: Json | undefined): boolean =>
  troublesIn(after) > (typeof after === 'string' ? 0 : troublesIn(before));
