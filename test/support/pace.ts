/** Milliseconds of processor time that a sample takes. */
const sampleMs = 20;
/** How often a stopwatch looks how busy the machine is. */
const everyMs = 500;

/** How many times longer than on a machine of its own this process computes at present: waiting included, at least 1. */
export function strain(): number {
  const [began, used] = [performance.now(), process.threadCpuUsage()];
  for (;;) {
    const { user, system } = process.threadCpuUsage(used);
    const computedMs = (user + system) / 1_000;
    if (computedMs >= sampleMs) return Math.max(1, (performance.now() - began) / computedMs);
  }
}

/** Measures what was promised of a machine that has room, on one that may have none. */
export interface Stopwatch {
  /** Milliseconds since it was started, as they would have been with nothing else on the machine. Stops it. */
  stop(): number;
}

/** Starts a stopwatch, which goes slower by as much as the machine is busy. */
export function startStopwatch(): Stopwatch {
  let [passed, at] = [0, performance.now()];
  const tick = (): void => {
    const slower = strain();
    const now = performance.now();
    passed += (now - at) / slower;
    at = now;
  };
  const ticking = setInterval(tick, everyMs);
  return {
    stop: () => {
      clearInterval(ticking);
      tick();
      return passed;
    },
  };
}
