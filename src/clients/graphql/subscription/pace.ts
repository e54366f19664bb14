/** How much is read of one connection in a second. */
export interface PaceLimits {
  messages: number;
  bytes: number;
}

const windowMs = 1_000;

/**
 * Bounds what a flood costs: beyond so much in a second nothing more is read before the second is over, and what the other
 * side sends meanwhile waits there. Returns a function that takes what has come, in bytes, and says for how many milliseconds
 * not to read on.
 */
export function createPace({ messages, bytes }: PaceLimits, now = () => performance.now()): (came: number) => number {
  let since = Number.NEGATIVE_INFINITY;
  let count = 0;
  let sum = 0;
  return (came) => {
    const at = now();
    if (at - since >= windowMs) [since, count, sum] = [at, 0, 0];
    count += 1;
    sum += came;
    return count < messages && sum < bytes ? 0 : since + windowMs - at;
  };
}
