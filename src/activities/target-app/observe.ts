import type { Graphql, GraphqlResult } from '../../clients/graphql/client.ts';
import type { Informer } from '../../clients/kubernetes/informer/informer.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import type { PodsSeen } from '../../domain/target-app/findings.ts';
import { lookLimitMs } from '../../domain/target-app/look-limit.ts';
import { type Observation, type ObserveInput, type Reading, wholeApp } from '../../domain/target-app/observation.ts';
import { isSuspended } from '../../domain/target-app/status.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { PollResult, TargetAppMetrics } from '../../telemetry/metrics/target-app/target-app.ts';
import { attributesTold } from '../attributes-told.ts';
import type { MissingPods } from './missing-pods.ts';
import { createPodCensus, type PodsThere } from './pod-census.ts';
import type { PodView } from './pod-view.ts';
import { type QueryTarget, queryTargetsOf } from './query-targets.ts';
import type { EffectiveSpec, TargetAppReader } from './reader.ts';
import { readingOf, unconfirmed } from './readings.ts';
import { pollRequestOf, type WatchedApp } from './watched-app.ts';

/** All states of one TargetApp together: they travel through payloads that Temporal bounds at 2 MiB. */
const maxTotalStateBytes = 768 * 1024;

export interface ObserveOptions {
  apps: TargetAppReader;
  pods: Pick<Informer<PodView>, 'hasSynced' | 'list' | 'scopes'>;
  unwatched: MissingPods;
  graphql: Graphql;
  metrics: Pick<TargetAppMetrics, 'polled'>;
  log: Log;
  limits: { maxStateBytes: number };
  /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
  attributes?(): string[] | null | undefined;
}

/** Asks every subject of a TargetApp once, and tells what differs from what the workflow knows. */
export type Observe = (input: ObserveInput, signal: AbortSignal, limitMs: number) => Promise<Observation>;

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

/** How a poll as a whole is counted: by its worst answer. */
const resultOf = (results: GraphqlResult[], readings: Reading[], { matched, podsUnknown }: PodsSeen): PollResult => {
  const failed = results.find((result) => !result.ok);
  if (failed !== undefined && !failed.ok) return failed.failure.class;
  if (results.length === 0 && podsUnknown !== undefined) return 'PodUnconfirmed';
  if (results.length === 0 && matched === 0) return 'NoMatchingPods';
  return readings.length > 0 ? 'changed' : 'unchanged';
};

/** The generation that a plan's digest was made of; 0 without a plan. */
const generationIn = (digest: string | undefined): number => Number(/^g(\d+)-/.exec(digest ?? '')?.[1] ?? 0);

/** What the object itself has to tell that the workflow does not know. */
function newsOf(app: WatchedApp, plan: CompiledSpec, input: ObserveInput): Omit<Observation, 'matched'> {
  const { mirror } = app;
  const told: Omit<Observation, 'matched'> = {};
  if (plan.digest !== input.plan) told.plan = plan;
  if (input.plan === undefined && mirror.length > 0) told.mirror = mirror;
  const requested = pollRequestOf(app);
  if (requested !== undefined && requested !== input.pollRequested) told.pollRequested = requested;
  return told;
}

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
  const rollCall = createPodCensus({ pods, unwatched, log });

  const ask = async (
    input: ObserveInput,
    inForce: EffectiveSpec,
    questions: QueryTarget[],
    isAt: PodsThere['isAt'],
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
      // A pod that was deleted (or whose address went on) while it was asked has not said anything.
      if (question === undefined || (question.subject !== wholeApp && !isAt(question.subject, question.ip))) return [];
      const reading = readingOf(question, result, inForce, input.known[question.subject], maxBytes);
      return reading === undefined ? [] : [reading];
    });
    return { results, readings, seconds: (performance.now() - began) / 1000 };
  };

  const count = (input: ObserveInput, result: PollResult, seconds: number, started: number): void => {
    const { namespace, name } = input.app;
    // Its series are gone with it, and are not to come back by a poll that was under way.
    if (apps.isKept(input.app))
      metrics.polled({ namespace, tapp: name, result, seconds, lagSeconds: Math.max(0, started - input.due) / 1000 });
    log.debug('polled', { namespace, tapp: name, result, seconds });
  };

  return async (input, signal, limitMs) => {
    const started = Date.now();
    const app = await apps.find(input.app, input.fresh ? Number.POSITIVE_INFINITY : generationIn(input.plan));
    if (app === undefined) return { matched: 0, deleted: true };
    const inForce = apps.effectiveSpec(app);
    const { plan, spec } = inForce;
    const news = { ...newsOf(app, plan, input), ...attributesTold(attributes?.(), input.attributes) };
    if (spec === undefined || plan.problems.length > 0 || isSuspended(plan, input.held, started))
      return { ...rollCall.watched(input.app.namespace, inForce), ...news, unasked: 'stopped' };
    const { seen, running, undecided, isAt } = await rollCall.present(input, inForce, signal);
    const told: Observation = { ...seen, ...news };
    if (lookLimitMs(plan, told.matched) > limitMs) return { ...told, unasked: 'again' };

    const questions = queryTargetsOf(app, spec, plan, running);
    // Of these nobody can say whether they exist: unknown, as when they give no answer.
    const kept = new Set([...questions.map(({ subject }) => subject), ...undecided]);
    const gone = Object.keys(input.known).filter((subject) => !kept.has(subject));
    if (gone.length > 0) told.gone = gone;
    // Another question makes what is known of the old one void: every answer is told.
    const isOtherPlan = told.plan !== undefined && input.plan !== undefined;
    const asking = isOtherPlan ? { ...input, known: {} } : input;
    const { results, readings, seconds } = await ask(asking, inForce, questions, isAt, signal);
    const unsaid = isOtherPlan ? [] : undecided;
    const all = [...readings, ...unsaid.flatMap((subject) => unconfirmed(subject, input.known[subject]))];
    if (all.length > 0) told.readings = all;
    count(input, resultOf(results, readings, told), seconds, started);
    return told;
  };
}
