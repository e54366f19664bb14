import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { undone } from '../../../src/domain/target-app/firing.ts';
import { newRuleMemory, type RuleMemory } from '../../../src/domain/target-app/memory.ts';
import { aRule, deepFreeze } from '../../support/domain.ts';
import { runs } from '../../support/fuzz-runs.ts';
import { turn, undosIn, view } from '../../support/one-rule.ts';

describe('a firing that is undone', () => {
  it('leaves the memory as if it had been held back', () => {
    const subjects = ['a', 'b', 'c'];
    const step = fc.record({
      seconds: fc.integer({ min: 1, max: 90 }),
      states: fc.tuple(...subjects.map(() => fc.constantFrom('healthy', 'unhealthy', 'worse'))),
      undo: fc.boolean(),
    });
    const trigger = fc.constantFrom(
      { field: 'health', condition: 'equals', value: 'unhealthy' },
      { field: 'health', condition: 'not_equals', value: 'healthy' },
    );
    const rules = fc
      .record(
        {
          cooldownMs: fc.constantFrom(0, 40_000),
          repeatMs: fc.constant(30_000),
          maxFirings: fc.constant({ max: 2, perMs: 90_000 }),
          paced: fc.constant(true as const),
          onPods: fc.boolean(),
          trigger,
        },
        { requiredKeys: ['cooldownMs', 'onPods', 'trigger'] },
      )
      .map((of) => aRule(of));
    fc.assert(
      fc.property(rules, fc.array(step, { minLength: 1, maxLength: 8 }), (rule, steps) => {
        let memory = newRuleMemory();
        let seconds = 0;
        let before: string[] = [];
        for (const { seconds: pause, states, undo } of steps) {
          seconds += pause;
          const views = subjects.map((subject, i) => view(subject, states[i] ?? '', before[i]));
          before = [...states];
          // What it would have been, had there been no room for any firing.
          const full = { room: 0, waiting: new Set<string>() };
          const heldBack = turn(rule, deepFreeze(memory), views, seconds, full).memory;
          const fired = turn(rule, memory, views, seconds);
          const restored = undosIn(fired).reduce(undone, fired.memory);
          const bare = ({ lastSuppression: _, episodes, ...rest }: RuleMemory) => ({
            ...rest,
            episodes: Object.fromEntries(
              Object.entries(episodes).map(([subject, { suppressed: __, ...episode }]) => [subject, episode]),
            ),
          });
          expect(bare(restored)).toEqual(bare(heldBack));
          memory = undo ? restored : fired.memory;
        }
      }),
      runs(300),
    );
  });
});
