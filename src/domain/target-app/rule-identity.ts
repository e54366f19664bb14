import type { CompiledRule } from './compiled-spec.ts';

/** What tells a rule from others, in a spec or in what an earlier life left in the status. */
export type RuleIdentity = Pick<CompiledRule, 'content' | 'key' | 'name' | 'question'>;

/** How two rules may be the same, the surest way first: a name of its own counts less than what a rule says. */
const sameness: ((before: RuleIdentity, after: RuleIdentity) => boolean)[] = [
  (before, after) => before.content === after.content && before.name === after.name,
  (before, after) => before.content === after.content,
  (before, after) => before.question === after.question && before.name === after.name,
  (before, after) => before.question === after.question,
];

/** For each of the rules after an edit the one before it that it goes on from; in the order of the rules. */
export function predecessors<Before extends RuleIdentity>(
  before: readonly Before[],
  after: readonly RuleIdentity[],
): (Before | undefined)[] {
  const left = new Set(before);
  const found = new Map<RuleIdentity, Before>();
  for (const isSame of sameness)
    for (const rule of after) {
      if (found.has(rule)) continue;
      const match = [...left].find((candidate) => isSame(candidate, rule));
      if (match === undefined) continue;
      found.set(rule, match);
      left.delete(match);
    }
  return after.map((rule) => found.get(rule));
}

/**
 * The rules under the keys of their predecessors, so that each finds its memory whatever its name or place. A new rule
 * gets the key that its plan gave it, or where that is taken, one beside it.
 */
export function withKeys(
  rules: readonly CompiledRule[],
  before: readonly (RuleIdentity | undefined)[],
): CompiledRule[] {
  const taken = new Set(before.flatMap((rule) => (rule === undefined ? [] : [rule.key])));
  return rules.map((rule, index) => {
    const known = before[index];
    if (known !== undefined) return { ...rule, key: known.key };
    const key = freeKey(rule.key, taken);
    taken.add(key);
    return { ...rule, key };
  });
}

function freeKey(wanted: string, taken: ReadonlySet<string>): string {
  let key = wanted;
  for (let n = 2; taken.has(key); n += 1) key = `${wanted}~${n}`;
  return key;
}
