import type { CompiledRule } from '../../src/domain/target-app/compiled-spec.ts';
import type { SubjectView } from '../../src/domain/target-app/findings.ts';
import { noLoad } from '../../src/domain/target-app/load.ts';
import { newRuleMemory, type RuleMemory } from '../../src/domain/target-app/memory.ts';
import { evaluateRules } from '../../src/domain/target-app/rules.ts';
import { aPlan, appUid, at } from './domain.ts';

/** A pod that says this now, and said that before. */
export const view = (subject: string, now: string, previous?: string): SubjectView => ({
  subject,
  name: `pod-${subject}`,
  hash: now,
  state: { health: now },
  ...(previous !== undefined && { previous: { health: previous } }),
});

/** One turn of one rule over some pods. */
export function turn(rule: CompiledRule, memory: RuleMemory, views: SubjectView[], seconds: number, load = noLoad) {
  const plan = aPlan({ rules: [rule] });
  const judged = evaluateRules(appUid, plan, { [rule.key]: memory }, views, {
    now: at(seconds),
    matched: views.length,
    load,
  });
  return { memory: judged.rules[rule.key] ?? newRuleMemory(), decisions: judged.decisions };
}

/** What undoes each firing of a turn. */
export const undosIn = ({ decisions }: ReturnType<typeof turn>) =>
  decisions.flatMap((decision) => (decision.kind === 'fire' ? [decision.undo] : []));
