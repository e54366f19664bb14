/** How waits grow, in milliseconds. */
export interface Backoff {
  firstMs: number;
  longestMs: number;
}

/** The wait after so many failures in a row, of which there is at least one: doubles with each, up to the longest. */
export const backoffMs = ({ firstMs, longestMs }: Backoff, failures: number): number =>
  Math.min(longestMs, firstMs * 2 ** (failures - 1));

/** A wait spread by half to either side, so that what failed together does not come back together. `random` is 0 ≤ x < 1. */
export const spread = (ms: number, random: number): number => ms * (0.5 + random);
