import type { EventDraft } from '../events.ts';
import { own } from '../json.ts';
import type { CompiledRule, CompiledSpec } from './compiled-spec.ts';
import { type Episode, type Memory, newRuleMemory, type RuleMemory } from './memory.ts';
import type { FiredEpisode } from './observation.ts';
import { unknown } from './outcomes.ts';
import { predecessors, type RuleIdentity, withKeys } from './rule-identity.ts';

/** The rules that a mirror was written for, each under its own digest as key. */
function mirrored(mirror: FiredEpisode[]): RuleIdentity[] {
  const byRule = new Map(mirror.map(({ rule, digest }) => [`${rule}/${digest}`, { rule, digest }]));
  return [...byRule.values()].map(({ rule, digest }) => {
    const [question = '', content = ''] = digest.split('-');
    return { name: rule, question, content, key: `${rule}/${digest}` };
  });
}

const episodeOf = ({ since, firedAt, dry }: FiredEpisode): Episode => ({
  since,
  ...(firedAt !== undefined && { firedAt }),
  ...(dry && { dry }),
});

/** The memory of one rule as a mirror has it. An action that had not ended then may have taken effect, and stays undone. */
function seededRule(mirror: FiredEpisode[], now: number): RuleMemory {
  const memory = newRuleMemory();
  for (const entry of mirror) {
    const { subject, firedAt, pending } = entry;
    memory.episodes[subject] = episodeOf(entry);
    if (firedAt !== undefined) memory.firings.push({ subject, at: firedAt });
    if (pending !== undefined)
      memory.lastOutcome = {
        ...unknown(
          'OutcomeUnknown',
          'what Temporal knew of it was lost while it ran; it may have taken effect and is not repeated',
        ),
        actionId: pending,
        at: now,
      };
  }
  memory.firings.sort((a, b) => a.at - b.at);
  return memory;
}

/** Takes over what an earlier life of this workflow had fired, for the rules that it was written for. */
function seeded(memory: Memory, spec: CompiledSpec, mirror: FiredEpisode[], now: number): Memory {
  // Nothing can be judged by a spec that makes no sense; once it is mended, what was fired before is still known.
  if (spec.problems.length > 0) return { ...memory, plan: spec, firedEpisodes: mirror };
  const { firedEpisodes: _, ...rest } = memory;
  const before = predecessors(mirrored(mirror), spec.rules);
  const rules = spec.rules.flatMap((rule, index) => {
    const known = before[index];
    if (known === undefined) return [];
    const own = mirror.filter((entry) => `${entry.rule}/${entry.digest}` === known.key);
    return [[rule.key, seededRule(own, now)] as const];
  });
  return { ...rest, plan: spec, rules: Object.fromEntries(rules) };
}

/** What a rule that is no longer a dry run takes over: what it only said it would do, it has not done. */
function undried(memory: RuleMemory): RuleMemory {
  const episodes = Object.entries(memory.episodes).map(([subject, episode]) => {
    if (!episode.dry) return [subject, episode] as const;
    const { dry: _, firedAt: __, suppressed: ___, ...open } = episode;
    return [subject, open] as const;
  });
  const dry = new Set(Object.keys(memory.episodes).filter((subject) => memory.episodes[subject]?.dry));
  return {
    ...memory,
    episodes: Object.fromEntries(episodes),
    firings: memory.firings.filter(({ subject }) => !dry.has(subject)),
  };
}

/** A rule whose parameters were mended is not held to what went wrong before. */
function untroubled({ trouble: _, ...memory }: RuleMemory): RuleMemory {
  const episodes = Object.entries(memory.episodes).map(([subject, { trouble: __, ...episode }]) => [subject, episode]);
  return { ...memory, episodes: Object.fromEntries(episodes) };
}

/** What a rule goes on with of the memory of the one before it. */
function carriedOver(
  memory: RuleMemory,
  before: CompiledRule,
  after: CompiledRule,
  wasDry: boolean,
  isDry: boolean,
): RuleMemory {
  const mended = before.content === after.content ? memory : untroubled(memory);
  return wasDry && !isDry ? undried(mended) : mended;
}

function edited(memory: Memory, old: CompiledSpec, spec: CompiledSpec): Memory {
  const before = predecessors(old.rules, spec.rules);
  const rules = withKeys(spec.rules, before);
  const kept = rules.flatMap((rule, index) => {
    const known = before[index];
    const its = known && own(memory.rules, known.key);
    if (known === undefined || its === undefined) return [];
    const wasDry = old.dryRun || known.dryRun;
    return [[rule.key, carriedOver(its, known, rule, wasDry, spec.dryRun || rule.dryRun)] as const];
  });
  return {
    ...memory,
    plan: { ...spec, rules },
    rules: Object.fromEntries(kept),
    subjects: old.source === spec.source ? memory.subjects : {},
  };
}

/** The memory under a new spec: rules that still ask the same keep theirs; a new question makes old answers void. */
export function underSpec(memory: Memory, spec: CompiledSpec, told: FiredEpisode[], now: number): Memory {
  const old = memory.plan;
  const mirror = memory.firedEpisodes ?? told;
  if (old === undefined || memory.firedEpisodes !== undefined) return seeded(memory, spec, mirror, now);
  // Nothing is judged by a spec that makes no sense, so what was fired under the one before stays fired once it is mended.
  if (spec.problems.length > 0) return { ...memory, plan: { ...spec, rules: old.rules, source: old.source } };
  return edited(memory, old, spec);
}

/** The Events of actions that were under way when what Temporal knew of them was lost. */
export const lostEvents = (before: Memory, after: Memory): EventDraft[] =>
  before.plan !== undefined && before.firedEpisodes === undefined
    ? []
    : (after.plan?.rules ?? []).flatMap(({ key, name, action }): EventDraft[] => {
        const outcome = own(after.rules, key)?.lastOutcome;
        if (outcome === undefined) return [];
        return [{ type: 'Warning', reason: 'ActionOutcomeUnknown', message: `${name}: ${action}: ${outcome.message}` }];
      });
