import fc from 'fast-check';
import { failureClasses } from '../../src/domain/failure.ts';
import type { Json } from '../../src/domain/json.ts';
import type { CompiledRule, CompiledSpec } from '../../src/domain/target-app/compiled-spec.ts';
import { type Answer, aPlan, aRule, fails, type Poll, says } from './domain.ts';

/** Pods that there may be. */
export const names = ['a', 'b', 'c'];

export const value: fc.Arbitrary<Json> = fc.constantFrom<Json[]>('x', 'y', '', null, 0, 1, 2);
export const state = fc.record(
  { f: value, n: fc.record({ g: value, h: value }), l: fc.array(fc.record({ s: value, t: value }), { maxLength: 3 }) },
  { requiredKeys: [] },
) as fc.Arbitrary<{ [key: string]: Json }>;
export const answer: fc.Arbitrary<Answer> = fc.oneof(
  { weight: 6, arbitrary: state.map((of) => says(of)) },
  { weight: 3, arbitrary: fc.constantFrom(...failureClasses.map((of) => fails(of))) },
  { weight: 1, arbitrary: state.map((of) => says({ ...of, f: null }, ['f'])) },
);

export const trigger: fc.Arbitrary<CompiledRule['trigger']> = fc.oneof(
  fc.record({
    field: fc.constantFrom('f', 'n.g', 'l[*].s', 'l[0].s'),
    condition: fc.constantFrom('equals', 'not_equals', 'greater_than', 'changed_to', 'changed_from', 'contains'),
    value,
  }),
  fc.record({
    field: fc.constantFrom('f', 'n', 'n.g', 'l[*].s', 'l'),
    condition: fc.constantFrom('exists', 'not_exists', 'changed', 'increased', 'decreased'),
  }),
  fc.constantFrom({ condition: 'unreachable' }, { condition: 'failing' }, { condition: 'noPods' }),
);
export const rule: fc.Arbitrary<Partial<CompiledRule>> = fc.record(
  {
    trigger,
    pods: fc.constantFrom<CompiledRule['pods'][]>('each', 'each', 'any', 'all', { percent: 50 }, { count: 2 }),
    forMs: fc.constantFrom(0, 45_000),
    cooldownMs: fc.constantFrom(0, 70_000),
    maxFirings: fc.constant({ max: 2, perMs: 120_000 }),
    onPods: fc.boolean(),
  },
  { requiredKeys: ['trigger', 'onPods'] },
);
export const repeating = fc.tuple(rule, fc.constantFrom(undefined, 60_000)).map(([of, repeatMs]) => ({
  ...of,
  ...(repeatMs && { repeatMs }),
}));

export const planOf = (rules: fc.Arbitrary<Partial<CompiledRule>>): fc.Arbitrary<CompiledSpec> =>
  fc
    .tuple(
      fc.array(rules, { minLength: 1, maxLength: 3 }),
      fc.constantFrom<CompiledSpec['onUnknown'][]>('keep', 'reset'),
      fc.constantFrom<string[][]>([], ['n.h'], ['l.t']),
    )
    .map(([of, onUnknown, ignoreFields]) =>
      aPlan({ rules: of.map((some, i) => aRule({ ...some, name: `rule-${i}` })), onUnknown, ignoreFields }),
    );

export const pods = fc.dictionary(fc.constantFrom(...names), answer, { maxKeys: 3, noNullPrototype: true });
/** Polls at growing times; most pods go on saying what they said, each so many times. */
export const storyOf = (longest: number): fc.Arbitrary<Poll[]> =>
  fc
    .array(fc.record({ pods, again: fc.integer({ min: 1, max: longest }), gap: fc.constantFrom(5, 30, 60) }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((chapters) => {
      const steps = chapters.flatMap(({ pods: of, again, gap }) =>
        Array.from({ length: again }, () => ({ pods: of, gap })),
      );
      let second = 0;
      return steps.map(({ pods: of, gap }) => {
        second += gap;
        return { at: second, pods: of };
      });
    });

export const story = storyOf(3);

/** Rules with every limit that time alone may end. */
const timed = fc
  .tuple(repeating, fc.boolean(), fc.constantFrom(undefined, 100_000))
  .map(([of, paced, startupGraceMs]) => ({
    ...of,
    ...(paced && { paced: true as const }),
    ...(startupGraceMs && { startupGraceMs }),
  }));
export const timedPlans = planOf(timed);
