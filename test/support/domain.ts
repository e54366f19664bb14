import { comparable } from '../../src/domain/diff.ts';
import type { EventRecord } from '../../src/domain/events.ts';
import { type Failure, type FailureClass, failureKey, failureOf } from '../../src/domain/failure.ts';
import { fnv1a } from '../../src/domain/hash.ts';
import { isJsonObject, type Json } from '../../src/domain/json.ts';
import { withEvents } from '../../src/domain/outbox.ts';
import { conditionsIn } from '../../src/domain/status-conditions.ts';
import type { CompiledRule, CompiledSpec } from '../../src/domain/target-app/compiled-spec.ts';
import { step } from '../../src/domain/target-app/decide.ts';
import { fingerprintOf, type Memory, newMemory } from '../../src/domain/target-app/memory.ts';
import {
  type FiredEpisode,
  type Observation,
  type Reading,
  wholeApp,
} from '../../src/domain/target-app/observation.ts';
import { phaseEvents, phaseOf } from '../../src/domain/target-app/phase.ts';
import type { Decision } from '../../src/domain/target-app/rules.ts';
import { conditions as targetAppConditions } from '../../src/domain/target-app/status-conditions.ts';
import { isSuspended } from '../../src/domain/target-app/suspension.ts';

/** Virtual time begins here; epoch milliseconds. */
export const epoch = Date.UTC(2026, 0, 1);
/** The uid of the TargetApp that is played. */
export const appUid = 'app-uid';
/** Seconds of virtual time as epoch milliseconds. */
export const at = (seconds: number): number => epoch + seconds * 1000;
export const uidOf = (pod: string): string => (pod === wholeApp ? wholeApp : `uid-${pod}`);

/** A rule that restarts each pod whose health is unhealthy, with some of it replaced. */
export const aRule = (replaced: Partial<CompiledRule> = {}): CompiledRule =>
  identified({
    name: 'restart',
    action: 'restart_pod',
    trigger: { field: 'health', condition: 'equals', value: 'unhealthy' },
    pods: 'each',
    forMs: 0,
    cooldownMs: 0,
    dryRun: false,
    timeoutMs: 300_000,
    retries: 3,
    repeatable: true,
    onPods: true,
    ...replaced,
  });

/** What a compiled rule says of itself; its name is its key, so that a test finds its memory. */
export const identified = (
  rule: Omit<CompiledRule, 'content' | 'key' | 'question'> & Partial<CompiledRule>,
): CompiledRule => {
  const question = fnv1a(JSON.stringify([rule.action, rule.trigger, rule.pods])).toString(36);
  return { key: rule.name, question, content: `${question}c`, ...rule };
};

/** How a status names a rule that it has episodes of. */
export const digestOf = ({ question, content }: CompiledRule): string => `${question}-${content}`;

/** A plan with one such rule, with some of it replaced; its digest follows from what it says. */
export const aPlan = (replaced: Partial<CompiledSpec> = {}): CompiledSpec => {
  const plan: CompiledSpec = {
    digest: '',
    generation: 1,
    endpoint: '/graphql',
    source: 'source-1',
    perPod: true,
    intervalMs: 30_000,
    timeoutMs: 10_000,
    queriesAtOnce: 64,
    heartbeatMs: 300_000,
    suspend: false,
    dryRun: false,
    onUnknown: 'keep',
    ignoreFields: [],
    events: [],
    rules: [aRule()],
    problems: [],
    ...replaced,
  };
  return { ...plan, digest: fnv1a(JSON.stringify(plan)).toString(36) };
};

/** What one pod (or the app) says when it is asked. */
export type Answer = Pick<Reading, 'state' | 'failure' | 'unknown' | 'why'>;

/** A state, of which some paths may have come back as errors. */
export const says = (state: Json, unknown?: string[]): Answer => ({ state, ...(unknown && { unknown }) });
export const fails = (of: FailureClass = 'Timeout', more: Partial<Failure> = {}): Answer => ({
  failure: failureOf(of, 'no answer within 10 s', more),
});
export const healthy = says({ health: 'healthy' });
export const unhealthy = says({ health: 'unhealthy' });

/** One poll: when (seconds), and what every pod there is says; the key `app` is the app as a whole. */
export interface Poll {
  at: number;
  pods?: Record<string, Answer>;
  /** Pods that match, when more than those that say something. */
  matched?: number;
  /** Why it cannot be said which pods there are. */
  podsUnknown?: string;
  /** The spec as edited: in force from this poll on. */
  plan?: CompiledSpec;
  /** What an earlier life had fired; told to a workflow that knows no plan. */
  mirror?: FiredEpisode[];
  held?: boolean;
  /** The Temporal database was lost before this poll. */
  forgotten?: true;
}

/** What one poll led to. */
export interface Played {
  at: number;
  memory: Memory;
  decisions: Decision[];
  /** Events that this poll made or raised the count of. */
  events: EventRecord[];
}

const sorted = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
};

const hashOf = (state: Json, unknown: readonly string[]): string =>
  fnv1a(JSON.stringify([sorted(state), unknown])).toString(36);

/** What one poll learnt of one pod, told in full. */
export const reading = (pod: string, { state, failure, unknown, why }: Answer, plan = aPlan()): Reading => {
  const base = { subject: uidOf(pod), name: pod };
  if (failure !== undefined) return { ...base, failure };
  const fields = plan.rules.flatMap(({ trigger }) => (trigger.field === undefined ? [] : [trigger.field]));
  const hash = hashOf(comparable(state ?? null, plan.ignoreFields, fields), unknown ?? []);
  return { ...base, hash, state: state ?? null, ...(unknown && { unknown }), ...(why && { why }) };
};

/** What the observing activity would tell of a poll to a workflow with this memory: only what is news to it. */
export function observationOf(
  memory: Memory,
  plan: CompiledSpec,
  { pods = {}, matched, podsUnknown, mirror }: Poll,
): Observation {
  const isNewPlan = plan.digest !== memory.plan?.digest;
  const subjects = Object.keys(pods).map(uidOf);
  const readings = Object.entries(pods).flatMap(([pod, answer]) => {
    const told = reading(pod, answer, plan);
    const known = memory.subjects[told.subject];
    if (known === undefined || isNewPlan) return [told];
    const [hash, failure] = fingerprintOf(known).split('!');
    if (told.failure !== undefined) return failureKey(told.failure) === failure ? [] : [told];
    if (told.hash !== hash) return [told];
    const { state: _, ...unchanged } = told;
    return failure === undefined ? [] : [unchanged];
  });
  const gone = Object.keys(memory.subjects).filter((subject) => !subjects.includes(subject));
  return {
    matched: matched ?? (plan.perPod ? subjects.length : 0),
    ...(plan.perPod && subjects.length === 0 && podsUnknown === undefined && { nothingRuns: true }),
    ...(podsUnknown !== undefined && { podsUnknown }),
    ...(isNewPlan && { plan }),
    ...(memory.plan === undefined && mirror && { mirror }),
    ...(readings.length > 0 && { readings }),
    ...(gone.length > 0 && { gone }),
  };
}

/** What a workflow does with one poll, without its activities: observe, decide, and say where it stands. */
export function playOne(before: Memory, plan: CompiledSpec, poll: Poll): Played {
  const now = at(poll.at);
  const { suspendedByUpdate: _, ...rest } = poll.forgotten ? newMemory() : before;
  const memory: Memory = { ...rest, ...(poll.held && { suspendedByUpdate: true }) };
  const isIdle = plan.problems.length > 0 || isSuspended(plan, poll.held, now);
  const observation = observationOf(memory, plan, poll);
  const { readings: _r, gone: _g, ...looked } = observation;
  const turn = step(appUid, memory, isIdle ? looked : observation, now);
  const absorbed = isIdle ? { ...turn.memory, lastPoll: memory.lastPoll } : turn.memory;
  const phase = phaseOf(absorbed, now);
  const isNews = phase !== memory.phase || (phase === 'Failed' && observation.plan !== undefined);
  const told = isNews ? withEvents(absorbed, phaseEvents({ phase: memory.phase, plan }, phase), now) : absorbed;
  return {
    at: poll.at,
    memory: { ...told, phase, conditions: conditionsIn(targetAppConditions, told, now), outbox: [] },
    decisions: turn.decisions,
    events: told.outbox,
  };
}

/** Plays polls in virtual time, one after the other, from an empty memory or from a given one. */
export function play(plan: CompiledSpec, polls: Poll[], memory: Memory = newMemory()): Played[] {
  const played: Played[] = [];
  let inForce = plan;
  for (const poll of polls) {
    inForce = poll.plan ?? inForce;
    played.push(playOne(played.at(-1)?.memory ?? memory, inForce, poll));
  }
  return played;
}

/** Polls of one pod (or of the app), every `every` seconds from 0 on. */
export const polls = (answers: Answer[], every = 30, pod = 'pod-a'): Poll[] =>
  answers.map((answer, i) => ({ at: i * every, pods: { [pod]: answer } }));

const sentence = (decision: Decision): string => {
  const { kind, rule, subject } = decision;
  const where = `${rule.name} on ${subject.replace(/^uid-/, '')}`;
  if (kind === 'suppress') return `${where} held back: ${decision.reason}`;
  if (kind === 'recover') return `${where} recovers`;
  return `${where} ${kind === 'fire' ? 'fires' : 'cannot tell'}`;
};

/** The decisions as sentences: `30 s: restart on pod-a fires`. */
export const told = (played: Played[]): string[] =>
  played.flatMap(({ at: second, decisions }) => decisions.map((decision) => `${second} s: ${sentence(decision)}`));

/** The seconds at which something fired. */
export const firedAt = (played: Played[]): number[] =>
  played.flatMap(({ at: second, decisions }) => decisions.flatMap(({ kind }) => (kind === 'fire' ? [second] : [])));

/** Everything that was fired. */
export const requestsIn = (played: Played[]) =>
  played.flatMap(({ decisions }) =>
    decisions.flatMap((decision) => (decision.kind === 'fire' ? [decision.request] : [])),
  );

/** The Events as `type reason: message`, with the count where they are repeats. */
export const eventsIn = (played: Played[]): string[] =>
  played.flatMap(({ events }) =>
    events.map(({ type, reason, message, count }) => `${type} ${reason}: ${message}${count > 1 ? ` (x${count})` : ''}`),
  );

/** Freezes a value and all in it, so that a write to it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) deepFreeze(item);
  }
  return value;
}
