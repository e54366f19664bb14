import { z } from 'zod';
import { cel, celString } from './cel.ts';

const pattern = '^([0-9]{1,6}[hms])+$';
const milliseconds = { h: 3_600_000, m: 60_000, s: 1000 };
const howTo = 'write hours, minutes and seconds, e.g. 30s, 10m or 1h30m';

/** Milliseconds of a duration such as `60s`, `10m` or `1h30m`. The text has passed `Duration`. */
export const durationMs = (text: string): number =>
  [...text.matchAll(/(\d+)([hms])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * milliseconds[unit as keyof typeof milliseconds],
    0,
  );

/** A span of time as Kubernetes writes it. */
export const Duration = z
  .string()
  .max(16)
  .refine((text) => new RegExp(pattern).test(text), { error: `is not a duration: ${howTo}` })
  .meta({
    description: 'A span of time in hours, minutes and seconds, e.g. 30s, 10m or 1h30m.',
    ...cel({
      rule: `self.matches(${celString(pattern)})`,
      message: `is not a duration: ${howTo}`,
      messageExpression: `"'" + self + "' is not a duration: ${howTo}"`,
    }),
  });
export type Duration = z.infer<typeof Duration>;
