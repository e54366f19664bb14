import { createHash } from 'node:crypto';
import { onlySelected } from '../api/query.ts';
import type { Graphql, GraphqlResult } from '../clients/graphql.ts';
import type { Log } from '../clients/log.ts';
import type { Metrics, PollResult } from '../clients/metrics.ts';
import type { WatchCache } from '../clients/watch-cache.ts';
import { comparable } from '../domain/diff.ts';
import type { Json } from '../domain/json.ts';
import {
  type Failure,
  failureKey,
  failureOf,
  type Observation,
  type ObserveInput,
  type Reading,
  wholeApp,
} from '../domain/observation.ts';
import type { Plan } from '../domain/plan.ts';
import { lookLimitMs } from '../domain/schedule.ts';
import { isSelected } from '../domain/selector.ts';
import { isSuspended } from '../domain/status.ts';
import type { Apps, SpecInForce, WatchedApp } from './apps.ts';
import { isAlive, isRunning, type PodView } from './pod-view.ts';
import { type Question, questionsOf } from './questions.ts';
import type { UnwatchedPods } from './unwatched-pods.ts';

/** The annotation that asks for a poll; any new value does. */
const pollRequestedAt = 'kco.local/poll-requested-at';
/** As long as the status takes it. */
const maxRequestLength = 256;
/** All states of one TargetApp together: they travel through payloads that Temporal bounds at 2 MiB. */
const maxTotalStateBytes = 768 * 1024;

export interface ObserveOptions {
  apps: Apps;
  pods: Pick<WatchCache<PodView>, 'list' | 'hasSynced'>;
  unwatched: UnwatchedPods;
  graphql: Graphql;
  metrics: Pick<Metrics, 'polled'>;
  log: Log;
  limits: { maxStateBytes: number };
  /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
  attributes?(): string[] | null | undefined;
}

/** Asks every subject of a TargetApp once, and tells what differs from what the workflow knows. */
export type Observe = (input: ObserveInput, signal: AbortSignal, limitMs: number) => Promise<Observation>;

const hashOf = (state: Json, unknown: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(state)).update(unknown.join('\n')).digest('base64url').slice(0, 12);

/** Runs tasks with at most `limit` under way; the results in the order of the tasks. */
async function bounded<T>(tasks: (() => Promise<T>)[], limit: number): Promise<T[]> {
  const results: T[] = new Array(tasks.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks.length) {
      const index = next++;
      const task = tasks[index];
      if (task !== undefined) results[index] = await task();
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, lane));
  return results;
}

/** What is told with the first reading of a subject, whatever it says. */
const newcomer = ({ subject, name, startedAt, startupMs }: Question): Reading => ({
  subject,
  name,
  ...(startedAt !== undefined && { startedAt }),
  ...(startupMs !== undefined && { startupMs }),
});

/** What is told of one answer; undefined when it is what was known. */
function readingOf(
  question: Question,
  result: GraphqlResult,
  { plan, selected = {} }: SpecInForce,
  known: string | undefined,
  maxBytes: number,
): Reading | undefined {
  const who = known === undefined ? newcomer(question) : { subject: question.subject, name: question.name };
  const [knownHash, knownFailure] = (known ?? '').split('!');
  const failed = (failure: Failure): Reading | undefined =>
    knownFailure === failureKey(failure) ? undefined : { ...who, failure };
  if (!result.ok) return failed(result.failure);
  const state = onlySelected(result.data, selected);
  const bytes = Buffer.byteLength(JSON.stringify(state));
  if (bytes > maxBytes) {
    const message = `the selected state has ${bytes} bytes, the limit is ${maxBytes}: select fewer fields in spec.stateQuery`;
    return failed(failureOf('TooLarge', message));
  }
  const read = plan.rules.flatMap(({ trigger, stateRefs = [] }) => [
    ...(trigger.field === undefined ? [] : [trigger.field]),
    ...stateRefs,
  ]);
  const hash = hashOf(comparable(state, plan.ignoreFields, read), result.unknown);
  if (hash === knownHash && knownFailure === undefined) return undefined;
  const reading: Reading = { ...who, hash };
  if (hash !== knownHash) reading.state = state;
  if (result.unknown.length > 0) reading.unknown = result.unknown;
  return reading;
}

/** What is told of a known pod that the watch lacks, while the API server does not say whether it is there. */
const unaskable = (subject: string, known = ''): Reading[] => {
  const failure = failureOf('PodUnconfirmed', 'the API server does not say whether the pod is still there');
  return known.endsWith(`!${failureKey(failure)}`) ? [] : [{ subject, name: '', failure }];
};

/** How a poll as a whole is counted: by its worst answer. */
const resultOf = (results: GraphqlResult[], readings: Reading[], matched: number): PollResult => {
  const failed = results.find((result) => !result.ok);
  if (failed !== undefined && !failed.ok) return failed.failure.class;
  if (matched === 0 && results.length === 0) return 'NoMatchingPods';
  return readings.length > 0 ? 'changed' : 'unchanged';
};

/** The generation that a plan's digest was made of; 0 without a plan. */
const generationIn = (digest: string | undefined): number => Number(/^g(\d+)-/.exec(digest ?? '')?.[1] ?? 0);

/** What the object itself has to tell that the workflow does not know. */
function newsOf({ mirror, metadata }: WatchedApp, plan: Plan, input: ObserveInput, matched: number): Observation {
  const told: Observation = { matched };
  if (plan.digest !== input.plan) told.plan = plan;
  if (input.plan === undefined && mirror.length > 0) told.mirror = mirror;
  const requested = metadata.annotations?.[pollRequestedAt]?.slice(0, maxRequestLength);
  if (requested !== undefined && requested !== input.pollRequested) told.pollRequested = requested;
  return told;
}

/** What is told of search attributes: those that can be used, when the workflow does not know it. */
const attributesTold = (usable: string[] | null | undefined, { attributes }: ObserveInput): Partial<Observation> =>
  usable === undefined || String(usable) === String(attributes ?? null) ? {} : { attributes: usable };

export function createObserve({
  apps,
  pods,
  unwatched,
  graphql,
  metrics,
  log,
  limits,
  attributes,
}: ObserveOptions): Observe {
  const podsOf = (app: WatchedApp, { spec }: SpecInForce): PodView[] =>
    spec === undefined
      ? []
      : pods.list(app.metadata.namespace).filter((pod) => isAlive(pod) && isSelected(spec.selector, pod.labels));

  /** Known pods that the watch does not have: those that are there all the same, and those of which nobody can say. */
  const missing = async (
    { app, known }: ObserveInput,
    { spec, plan }: SpecInForce,
    matching: PodView[],
    signal: AbortSignal,
  ): Promise<{ found: PodView[]; undecided: string[] }> => {
    const matched = new Set(matching.map(({ uid }) => uid));
    const unmatched = Object.keys(known).filter((subject) => subject !== wholeApp && !matched.has(subject));
    if (unmatched.length === 0 || spec === undefined || !plan.perPod) return { found: [], undecided: [] };
    const watched = new Set(pods.list(app.namespace).map(({ uid }) => uid));
    const uids = unmatched.filter((uid) => !watched.has(uid));
    if (uids.length === 0) return { found: [], undecided: [] };
    const found = await unwatched({ namespace: app.namespace, selector: spec.selector, uids }, signal);
    if (found === undefined) return { found: [], undecided: uids };
    if (found.length > 0)
      log.warning('the watch of pods is behind', { namespace: app.namespace, tapp: app.name, pods: found.length });
    return { found: found.filter(isAlive), undecided: [] };
  };

  /** A pod that was deleted (or whose address went on) while it was asked has not said anything. */
  const isStillThere = ({ subject, ip }: Question, namespace: string, found: PodView[]): boolean => {
    if (subject === wholeApp) return true;
    const isSubject = ({ uid }: PodView) => uid === subject;
    const pod = pods.list(namespace).find(isSubject) ?? found.find(isSubject);
    return pod !== undefined && pod.ip === ip && isAlive(pod);
  };

  const ask = async (
    input: ObserveInput,
    inForce: SpecInForce,
    { questions, found }: { questions: Question[]; found: PodView[] },
    signal: AbortSignal,
  ) => {
    const began = performance.now();
    const maxBytes = Math.min(limits.maxStateBytes, Math.floor(maxTotalStateBytes / Math.max(1, questions.length)));
    const results = await bounded(
      questions.map((question) => async (): Promise<GraphqlResult> => {
        if ('failure' in question) return { ok: false, failure: question.failure };
        return graphql.query({ ...question.request, deadlineMs: inForce.plan.timeoutMs, signal });
      }),
      inForce.plan.queriesAtOnce,
    );
    const readings = results.flatMap((result, i) => {
      const question = questions[i];
      if (question === undefined || !isStillThere(question, input.app.namespace, found)) return [];
      const reading = readingOf(question, result, inForce, input.known[question.subject], maxBytes);
      return reading === undefined ? [] : [reading];
    });
    return { results, readings, seconds: (performance.now() - began) / 1000 };
  };

  const count = (input: ObserveInput, result: PollResult, seconds: number, started: number): void => {
    const { namespace, name } = input.app;
    metrics.polled({ namespace, tapp: name, result, seconds, lagSeconds: Math.max(0, started - input.due) / 1000 });
    log.debug('polled', { namespace, tapp: name, result, seconds });
  };

  return async (input, signal, limitMs) => {
    const started = Date.now();
    const app = await apps.find(input.app, input.fresh ? Number.POSITIVE_INFINITY : generationIn(input.plan));
    if (app === undefined) {
      apps.forget(input.app.uid);
      return { matched: 0, deleted: true };
    }
    if (!pods.hasSynced(input.app.namespace)) throw new Error('the watch of pods in the namespace has not synced yet');
    const inForce = apps.inForce(app);
    const { plan, spec } = inForce;
    const watched = podsOf(app, inForce);
    const told = { ...newsOf(app, plan, input, watched.length), ...attributesTold(attributes?.(), input) };
    if (spec === undefined || plan.problems.length > 0 || isSuspended(plan, input.held, started))
      return { ...told, unasked: 'stopped' };
    const { found, undecided } = await missing(input, inForce, watched, signal);
    const matching = [...watched, ...found];
    told.matched = matching.length;
    if (lookLimitMs(plan, matching.length) > limitMs) return { ...told, unasked: 'again' };

    const questions = questionsOf(app, spec, plan, matching.filter(isRunning));
    // Of these nobody can say whether they exist: unknown, as when they give no answer.
    const kept = new Set([...questions.map(({ subject }) => subject), ...undecided]);
    const gone = Object.keys(input.known).filter((subject) => !kept.has(subject));
    if (gone.length > 0) told.gone = gone;
    // Another question makes what is known of the old one void: every answer is told.
    const isOtherPlan = told.plan !== undefined && input.plan !== undefined;
    const { results, readings, seconds } = await ask(
      isOtherPlan ? { ...input, known: {} } : input,
      inForce,
      { questions, found },
      signal,
    );
    const unsaid = isOtherPlan ? [] : undecided;
    const all = [...readings, ...unsaid.flatMap((subject) => unaskable(subject, input.known[subject]))];
    if (all.length > 0) told.readings = all;
    count(input, resultOf(results, readings, matching.length), seconds, started);
    return told;
  };
}
