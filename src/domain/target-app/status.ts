import { scalarsOf } from '../diff.ts';
import { type Json, type JsonObject, own } from '../json.ts';
import type { WorkflowRef } from '../refs.ts';
import { resourceStatus } from '../resource-status.ts';
import { iso } from '../seconds.ts';
import { shared } from '../share.ts';
import { bytesOf } from '../text.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import { type Memory, newRuleMemory } from './memory.ts';
import { phaseOf } from './phase.ts';
import { ruleStatus, undeliveredStatus } from './rule-status.ts';
import { failedAs } from './source.ts';

/** Limits of what a status shows: it lives in etcd, the Web UI has the rest. */
export const maxPodsShown = 20;
export const maxFieldsShown = 16;
/** Over all rules; those that have fired come first, because what they stand for must not be done again. */
const maxEpisodesMirrored = 1_000;
/** All of it, as JSON; etcd takes 1.5 MiB. The states give way. */
const maxStatusBytes = 256 * 1024;

function stateOf(memory: Memory, spec: CompiledSpec): JsonObject {
  const shown = Object.values(memory.subjects)
    .filter((subject) => subject.state !== undefined)
    .slice(0, maxPodsShown);
  return Object.fromEntries(
    shown.map((subject) => [subject.name, scalarsOf(subject.state ?? null, spec.ignoreFields, maxFieldsShown)]),
  );
}

/** How many pods there are, and how they fared at the last poll. */
export const podCounts = (memory: Memory) => ({
  matched: memory.matched,
  observed: Object.values(memory.subjects).filter(({ failure }) => failure === undefined).length,
  unreachable: failedAs(memory, 'unreachable'),
  failing: failedAs(memory, 'failing'),
});

/** What of the states there is room for, in bytes as JSON: the first pods. */
function fittingState(state: JsonObject, room: number): JsonObject {
  let left = room;
  const kept = Object.entries(state).filter(([name, fields]) => {
    left -= bytesOf(JSON.stringify([name, fields]));
    return left >= 0;
  });
  return Object.fromEntries(kept);
}

/** The status of a TargetApp as its workflow knows it. `memory.conditions` must be up to date. */
export function statusOf(memory: Memory, workflow: WorkflowRef, now: number): JsonObject {
  const { plan: spec } = memory;
  const status = withoutState(memory, workflow, now);
  if (spec === undefined || Object.keys(memory.subjects).length === 0) return status;
  const room = maxStatusBytes - bytesOf(JSON.stringify(status));
  return { ...status, state: fittingState(stateOf(memory, spec), room) };
}

function withoutState(memory: Memory, workflow: WorkflowRef, now: number): JsonObject {
  const { plan: spec } = memory;
  const rules = (spec?.rules ?? []).map((rule) => ({
    rule,
    its: own(memory.rules, rule.key) ?? newRuleMemory(),
  }));
  const maxEpisodes = shared(
    rules.map(({ its }) => Object.keys(its.episodes).length),
    maxEpisodesMirrored,
  );
  return {
    ...resourceStatus(memory, { generation: spec?.generation, phase: phaseOf(memory, now), workflow, now }),
    pods: podCounts(memory),
    ...(memory.lastPoll !== undefined && { lastPoll: iso(memory.lastPoll) }),
    ...(memory.watchedBy !== undefined && { watchedBy: memory.watchedBy }),
    ...(memory.lastChange !== undefined && { lastChange: iso(memory.lastChange) }),
    ...(memory.pollRequested !== undefined && { pollRequestedAt: memory.pollRequested }),
    rules: rules.map(({ rule, its }, i): Json => ruleStatus(rule, its, memory.pending, maxEpisodes[i] ?? 0)),
    ...(memory.undelivered.length > 0 && { undelivered: undeliveredStatus(memory) }),
  };
}
