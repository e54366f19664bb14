/** How soon KCO is to look at an app again, in milliseconds. */
export interface Promises {
  /** Between two polls of an app. */
  intervalMs: number;
  /** While nothing is away: a replica that stood still is missed for so long. */
  handOverMs: number;
  /** After the operator or a server was away. */
  recoveryMs: number;
  /** What nobody has told or done by then is lost: far longer than it takes on a machine that has too much to do. */
  lostAfterMs: number;
}

/** As docs/operations.md and the alerts have them, on a machine that has room; the interval is that of the soak. */
export const promises: Promises = {
  intervalMs: 1_000,
  handOverMs: 10_000,
  recoveryMs: 30_000,
  lostAfterMs: 120_000,
};
