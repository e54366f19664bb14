import { z } from 'zod';
import { cel, celPattern } from './cel.ts';

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
        rule: `self.matches(${celPattern(pattern)})`,
        message: problem,
        messageExpression: `"'" + self + "' ${problem}"`,
      }),
    });
};

/** A number from 1 to `max`, or a text of one form, as Kubernetes' IntOrString. */
export const numberOrMatching = (max: number, maxLength: number, { pattern, problem, description }: Form) => {
  const form = new RegExp(pattern);
  const text = z.string().max(maxLength);
  return z.union([z.int().min(1).max(max), text.refine((given) => form.test(given), { error: problem })]).meta({
    description,
    'x-kubernetes-int-or-string': true,
    maxLength,
    ...cel({
      rule: `type(self) == int ? self >= 1 && self <= ${max} : string(self).matches(${celPattern(pattern)})`,
      message: problem,
      messageExpression: `"'" + string(self) + "' ${problem}"`,
    }),
  });
};

/** Texts by keys of one form and at most `maxLength` characters; `problem` is a sentence by itself. */
export const mapMatching = (
  value: z.ZodString,
  { pattern, problem, description, maxLength, maxProperties }: Form & { maxLength: number; maxProperties: number },
) => {
  const form = new RegExp(pattern);
  return z
    .record(z.string(), value)
    .refine((map) => Object.keys(map).length <= maxProperties, { error: `has more than ${maxProperties} entries` })
    .refine((map) => Object.keys(map).every((key) => key.length <= maxLength && form.test(key)), { error: problem })
    .meta({
      description,
      maxProperties,
      ...cel({
        rule: `self.all(key, key.size() <= ${maxLength} && key.matches(${celPattern(pattern)}))`,
        message: problem,
      }),
    });
};
