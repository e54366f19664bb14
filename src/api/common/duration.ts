import { z } from 'zod';
import { matching } from './matching.ts';

const milliseconds = { h: 3_600_000, m: 60_000, s: 1000 };

/** Milliseconds of a duration such as `60s`, `10m` or `1h30m`. The text has passed `Duration`. */
export const durationMs = (text: string): number =>
  [...text.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * milliseconds[unit as keyof typeof milliseconds],
    0,
  );

/** A span of time as Kubernetes writes it. */
export const Duration = matching(z.string().max(16), {
  pattern: '^([0-9]{1,6}[hms])+$',
  problem: 'is not a duration: write hours, minutes and seconds, e.g. 30s, 10m or 1h30m',
  description: 'A span of time in hours, minutes and seconds, e.g. 30s, 10m or 1h30m.',
});
export type Duration = z.infer<typeof Duration>;
