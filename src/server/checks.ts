/** What one check found. The message says why not, in one sentence without secrets: anybody in the cluster can read it. */
export interface CheckResult {
  ok: boolean;
  /** A part of it is not well, and the rest goes on without. */
  degraded?: boolean;
  message?: string;
}

/** Checks by name. Each only looks at what its owner already knows: an answer must not wait for a network. */
export type Checks = Record<string, () => CheckResult>;
