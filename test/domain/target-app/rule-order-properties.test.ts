import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import { aPlan, aRule, play, says } from '../../support/domain.ts';
import { runs } from '../../support/fuzz-runs.ts';

/** A rule as a spec without names compiles it: called by its action and place, told from others by what it says. */
const unnamed = (index: number, content: string, replaced: Partial<CompiledRule> = {}): CompiledRule =>
  aRule({ name: `webhook-${index}`, key: content, action: 'webhook', onPods: false, content, ...replaced });

describe('rules', () => {
  it('decide the same in whatever order they stand', () => {
    const triggers = ['x', 'y'].map((value) => ({ field: 'f', condition: 'equals', value }));
    const rules = triggers.flatMap((trigger, t) =>
      [0, 1].map((n) => unnamed(0, `c${t}${n}`, { trigger, question: `q${t}`, cooldownMs: n * 45_000 })),
    );
    const numbered = (order: number[]): CompiledRule[] =>
      order.flatMap((index, place) => {
        const rule = rules[index];
        return rule === undefined ? [] : [{ ...rule, name: `webhook-${place}` }];
      });
    const orders = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
    const answers = fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), orders), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(answers, (steps) => {
        const decided = (orderOf: (order: number[]) => number[]): string[] => {
          const polls = steps.map(([value, order], i) => ({
            at: i * 30,
            pods: { a: says({ f: value }) },
            plan: aPlan({ rules: numbered(orderOf(order)), generation: i }),
          }));
          return play(aPlan({ rules: [] }), polls).flatMap(({ at: second, decisions }) =>
            decisions.map(({ kind, rule }) => `${second} ${kind} ${rule.content}`).toSorted(),
          );
        };
        expect(decided((order) => order)).toEqual(decided(() => [0, 1, 2, 3]));
      }),
      runs(200),
    );
  });
});
