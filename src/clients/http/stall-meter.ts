/** How long this process has stood still, in milliseconds: its event loop did not turn. Only differences mean something. */
export interface StallMeter {
  (): number;
  /** It looks at the clock by itself until the end of this; absent where it needs not to. */
  hold?(): () => void;
}

/** How often the clock is looked at; shorter pauses are the work of an ordinary turn. */
const everyMs = 50;

/**
 * Measures how long the event loop does not turn, be it busy, or the whole process stopped. While it stands still nothing
 * of others is heard, and their silence says nothing about them. Who waits for nobody holds it not, and then it costs nothing.
 */
export function createStallMeter(now: () => number = () => performance.now()): StallMeter {
  let stalledMs = 0;
  let last = now();
  let holders = 0;
  let looking: NodeJS.Timeout | undefined;
  const measure = (): number => {
    const at = now();
    stalledMs += Math.max(0, at - last - 2 * everyMs);
    last = at;
    return stalledMs;
  };
  const hold = (): (() => void) => {
    if (holders === 0) {
      last = now();
      looking = setInterval(measure, everyMs).unref();
    }
    holders += 1;
    return () => {
      holders -= 1;
      if (holders === 0) clearInterval(looking);
    };
  };
  return Object.assign(measure, { hold });
}
