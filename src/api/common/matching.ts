import type { z } from 'zod';
import { cel, celString } from './cel.ts';

/** What a text has to look like. */
export interface Form {
  /** An anchored regular expression that RE2 and JavaScript read alike. */
  pattern: string;
  /** Why another text is refused, to be read after it: `is not a …: write …`. */
  problem: string;
  description: string;
}

/** A text of one form: said once, refused alike by zod and by the API server. */
export const matching = (text: z.ZodString, { pattern, problem, description }: Form): z.ZodString => {
  const form = new RegExp(pattern);
  return text
    .refine((given) => form.test(given), { error: problem })
    .meta({
      description,
      ...cel({
        rule: `self.matches(${celString(pattern)})`,
        message: problem,
        messageExpression: `"'" + self + "' ${problem}"`,
      }),
    });
};
