import { brief } from '../diff.ts';
import { type Json, own } from '../json.ts';
import { valuesAt } from '../path.ts';
import type { ActionRequest } from './action.ts';
import type { CompiledAction, CompiledRule } from './compiled-spec.ts';
import { firstOf, podOf, type Scope, type SubjectView } from './findings.ts';
import type { Episode, FiringRecord, FiringUndo, Incident, MissedEdge, RuleMemory } from './memory.ts';
import type { Decision } from './rules.ts';
import { type RuleTurn, started } from './suppression.ts';
import { conditionNamed } from './trigger-conditions.ts';

/** A firing, less what names the TargetApp: that is the same for all of them. */
export type FiredRequest = Omit<ActionRequest, 'namespace' | 'name' | 'uid'>;

export const firstValue = (state: Json | undefined, field: string | undefined): Json | undefined =>
  state === undefined || field === undefined ? undefined : valuesAt(state, field)[0];

/** The value that made a rule fire: of several (`[*]`) the first that satisfies a level condition. */
function firedValue({ trigger }: CompiledRule, state: Json | undefined): Json | undefined {
  if (state === undefined || trigger.field === undefined) return undefined;
  const found = valuesAt(state, trigger.field);
  return firstOf(trigger, found, true) ?? found[0];
}

/**
 * A firing's identity: the same whenever it is computed again, another for every other firing. A repeat is named by the
 * firing before it and not by a count, which a workflow that lost its memory could not go on with.
 */
const actionIdOf = ({ uid, spec, rule }: RuleTurn, { subject, since, firedAt = 0 }: Partial<Incident>): string =>
  [uid, spec.generation, rule.name, subject, (since ?? 0).toString(36), firedAt.toString(36)].join(':');

/** The values of a state that an action's templates mention. */
const valuesFor = (
  { stateRefs }: CompiledAction,
  state: Json | undefined,
  max: number,
): Pick<ActionRequest, 'values'> =>
  stateRefs?.length
    ? { values: Object.fromEntries(stateRefs.map((path) => [path, brief(firstValue(state, path), max) ?? null])) }
    : {};

/** What a change was, should it have to be fired for later. */
export function edgeOf({ rule, maxCarried, now }: RuleTurn, { satisfied }: Scope, { before }: Episode): MissedEdge {
  const state = satisfied[0]?.state;
  const value = brief(firedValue(rule, state), maxCarried);
  return {
    since: now,
    ...(before !== undefined && { before }),
    ...(value !== undefined && { value }),
    ...valuesFor(rule, state, maxCarried),
  };
}

function requestOf(turn: RuleTurn, scope: Scope, episode: Episode, edge: MissedEdge): FiredRequest {
  const { spec, rule, now } = turn;
  return {
    id: actionIdOf(turn, { ...episode, subject: scope.subject }),
    generation: spec.generation,
    rule: rule.name,
    content: rule.content,
    action: rule.action,
    pods: started(turn, scope)
      .map(podOf)
      .filter((pod) => pod !== undefined),
    at: now,
    dryRun: spec.dryRun || rule.dryRun,
    ...(rule.trigger.field !== undefined && { field: rule.trigger.field }),
    ...(edge.before !== undefined && { oldValue: edge.before }),
    ...(edge.value !== undefined && { newValue: edge.value }),
    ...(edge.values !== undefined && { values: edge.values }),
  };
}

/** Fires: the memory says so from now on, and the decision says how to take that back. */
export function fire(turn: RuleTurn, scope: Scope, episode: Episode, missed?: MissedEdge): Decision {
  const { memory, rule, now, load } = turn;
  const { subject } = scope;
  const edge = missed ?? edgeOf(turn, scope, episode);
  const request = requestOf(turn, scope, episode, edge);
  const undo: FiringUndo = {
    key: rule.key,
    subject,
    since: episode.since,
    at: now,
    ...(episode.firedAt !== undefined && { firedAt: episode.firedAt }),
    ...(conditionNamed(rule.trigger.condition)?.kind === 'edge' && { edge }),
  };
  episode.firedAt = now;
  if (request.dryRun) episode.dry = true;
  memory.firings.push({ subject, at: now, ...(episode.baseline && { ineffective: true }) });
  load.room -= 1;
  return { kind: 'fire', rule, subject, request, undo };
}

/** An episode whose last firing is taken back. */
function reopened(episode: Episode, { firedAt }: FiringUndo): Episode {
  const { firedAt: _, dry: __, ...open } = episode;
  return firedAt === undefined ? open : { ...episode, firedAt };
}

const isFiring = ({ since, at, subject }: FiringUndo, incident: Incident | undefined): boolean =>
  incident?.subject === subject && incident.since === since && incident.firedAt === at;

function withoutFiring(firings: FiringRecord[], { subject, at }: FiringUndo): FiringRecord[] {
  const index = firings.findIndex((firing) => firing.subject === subject && firing.at === at);
  return index < 0 ? firings : firings.toSpliced(index, 1);
}

/**
 * The memory of a rule without one of its firings, as if it had been held back: nothing of it was begun. Episode, edge,
 * cooldown, back-off and `maxFirings` are what they would be. Pure.
 */
export function undone(memory: RuleMemory, undo: FiringUndo): RuleMemory {
  const { subject, since, at, edge } = undo;
  const episodes = Object.fromEntries(
    Object.entries(memory.episodes).map(([of, episode]) => {
      if (of === subject && episode.since === since && episode.firedAt === at) return [of, reopened(episode, undo)];
      const { inherited, ...own } = episode;
      return [of, isFiring(undo, inherited) ? own : episode];
    }),
  );
  const orphans = memory.orphans?.filter((orphan) => !isFiring(undo, orphan));
  return {
    ...memory,
    episodes,
    firings: withoutFiring(memory.firings, undo),
    ...(orphans !== undefined && { orphans }),
    ...(edge !== undefined && { missed: { ...memory.missed, [subject]: edge } }),
  };
}

/** The requests of what is to be done when an incident is over, in order. */
export function recoveryRequests(
  turn: RuleTurn,
  incident: Incident,
  view: Pick<SubjectView, 'previous' | 'state'> | undefined,
): FiredRequest[] {
  const { spec, rule, now, maxCarried } = turn;
  const { field } = rule.trigger;
  const [before, after] = [firstValue(view?.previous, field), firstValue(view?.state, field)];
  return (rule.onRecovery ?? []).map((step, recovery) => ({
    id: `${actionIdOf(turn, incident)}:r${recovery}`,
    generation: spec.generation,
    rule: rule.name,
    content: step.content,
    action: step.action,
    recovery,
    pods: incident.pod === undefined ? [] : [{ uid: incident.subject, name: incident.pod }],
    at: now,
    dryRun: spec.dryRun || rule.dryRun || incident.dry === true,
    ...(field !== undefined && { field }),
    ...(before !== undefined && { oldValue: brief(before, maxCarried) as Json }),
    ...(after !== undefined && { newValue: brief(after, maxCarried) as Json }),
    ...valuesFor(step, view?.state, maxCarried),
  }));
}

/** What is owed to an episode's end; undefined when nothing fired in it. */
export function incidentOf(memory: RuleMemory, subject: string): Incident | undefined {
  const episode = own(memory.episodes, subject);
  if (episode === undefined) return undefined;
  const { since, firedAt, pod, dry, trouble, inherited } = episode;
  if (firedAt === undefined) return inherited;
  return {
    subject,
    ...(pod !== undefined && { pod }),
    since,
    firedAt,
    ...(dry && { dry }),
    ...(trouble !== undefined && { trouble }),
  };
}
