import { backoffMs } from '../../../domain/backoff.ts';
import { hasStatus, KubeError } from '../errors.ts';

const longestRetryAfterMs = 300_000;
// A version that has failed this often may itself be the trouble.
const failuresBeforeList = 3;

/** Whether this failure of a watch says that its version is useless; everything that is not clearly passing is taken so. */
const isOfVersion = (error: unknown): boolean => {
  if (!(error instanceof KubeError) || error.reason === 'InvalidResponse') return true;
  if (error.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge')) return true;
  return error.status !== undefined && error.status !== 429 && error.status < 500;
};

/** Whether everything is to be listed anew after so many failures of a watch in a row, of which this is the last. */
export const needsList = (error: unknown, failures: number): boolean =>
  isOfVersion(error) || failures % failuresBeforeList === 0;

/** How long the server asks to be left alone, up to a limit. */
export const retryAfterMs = (error: unknown): number =>
  error instanceof KubeError ? Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs) : 0;

/** Milliseconds until the next attempt after so many failures in a row, of which this is the last. `random` is 0 ≤ x < 1. */
export const waitAfter = (
  error: unknown,
  failures: number,
  timing: { backoffMs: number; backoffCapMs: number },
  random: number,
): number => {
  // An expired version is the ordinary end of a long pause, not a fault; only its repetition is.
  if (hasStatus(error, 410) && failures === 1) return 0;
  const grownMs = backoffMs({ firstMs: timing.backoffMs, longestMs: timing.backoffCapMs }, failures);
  return Math.max(retryAfterMs(error), grownMs * (1 - random / 2));
};
