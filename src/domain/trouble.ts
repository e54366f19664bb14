import type { Json } from './json.ts';

/** Words that mean trouble wherever they stand in a value, be it a sentence or DATABASE_DOWN. */
const trouble =
  /(?<![a-z])(critical|crashed|degraded|down|error|failed|failing|failure|fatal|offline|unavailable|unhealthy)(?![a-z])/i;

export const meansTrouble = (value: Json | undefined): boolean => typeof value === 'string' && trouble.test(value);
