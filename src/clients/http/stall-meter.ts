/** How long this process has stood still so far, in milliseconds: its event loop did not turn. Only differences mean something. */
export type StallMeter = () => number;

/** How often the clock is looked at; shorter pauses are the work of an ordinary turn. */
const everyMs = 50;

/**
 * Measures how long the event loop does not turn, be it busy, or the whole process stopped. While it stands still nothing
 * of others is heard, and their silence says nothing about them.
 */
export const createStallMeter = (now: () => number = () => performance.now()): StallMeter => {
  let stalledMs = 0;
  let last = now();
  const measure = (): number => {
    const at = now();
    stalledMs += Math.max(0, at - last - 2 * everyMs);
    last = at;
    return stalledMs;
  };
  setInterval(measure, everyMs).unref();
  return measure;
};
