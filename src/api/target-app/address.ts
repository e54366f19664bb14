import { z } from 'zod';
import { type CelRule, celPattern } from '../common/cel.ts';

/** What an address has to look like; regular expressions that RE2 and JavaScript read alike. */
export interface AddressForm {
  /** Matches what begins with a user name or a password. */
  userinfo: string;
  form: string;
  /** Why another text is refused, to be read after it: `is not a …: use …`. */
  problem: string;
}

const noUserinfo = 'must not carry a user name or a password: everyone who may read the TargetApp would see them';

/** An address without user name and password, which no message quotes: refused alike by zod and, with the rules, by the API server. */
export const address = ({ userinfo, form, problem }: AddressForm): { text: z.ZodString; rules: CelRule[] } => {
  const [secret, right] = [new RegExp(userinfo), new RegExp(form)];
  const hasSecret = `self.matches(${celPattern(userinfo)})`;
  return {
    text: z
      .string()
      .min(1)
      .max(2048)
      .refine((given) => !secret.test(given), { error: noUserinfo, params: { isSecret: true } })
      .refine((given) => secret.test(given) || right.test(given), { error: problem }),
    rules: [
      { rule: `!${hasSecret}`, message: noUserinfo },
      {
        rule: `${hasSecret} || self.matches(${celPattern(form)})`,
        message: problem,
        messageExpression: `"'" + self + "' ${problem}"`,
      },
    ],
  };
};
