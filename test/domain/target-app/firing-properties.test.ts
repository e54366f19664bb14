import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import type { SubjectView } from '../../../src/domain/target-app/findings.ts';
import { undone } from '../../../src/domain/target-app/firing.ts';
import { newRuleMemory, type RuleMemory } from '../../../src/domain/target-app/memory.ts';
import { evaluateRules } from '../../../src/domain/target-app/rules.ts';
import { noLoad } from '../../../src/domain/target-app/suppression.ts';
import { aPlan, appUid, aRule, at, deepFreeze } from '../../support/domain.ts';
import { runs } from '../../support/fuzz-runs.ts';

const view = (subject: string, now: string, previous?: string): SubjectView => ({
  subject,
  name: `pod-${subject}`,
  hash: now,
  state: { health: now },
  ...(previous !== undefined && { previous: { health: previous } }),
});

/** One turn of one rule over some pods. */
function turn(rule: CompiledRule, memory: RuleMemory, views: SubjectView[], seconds: number, load = noLoad) {
  const plan = aPlan({ rules: [rule] });
  const judged = evaluateRules(appUid, plan, { [rule.key]: memory }, views, {
    now: at(seconds),
    matched: views.length,
    load,
  });
  return { memory: judged.rules[rule.key] ?? newRuleMemory(), decisions: judged.decisions };
}

const undosIn = ({ decisions }: ReturnType<typeof turn>) =>
  decisions.flatMap((decision) => (decision.kind === 'fire' ? [decision.undo] : []));

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
