import type { Graphql, GraphqlResult } from '../../clients/graphql/client.ts';
import { secondsOf } from '../../domain/seconds.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import type { PodsSeen } from '../../domain/target-app/findings.ts';
import { lookLimitMs } from '../../domain/target-app/look-limit.ts';
import type { Observation, ObserveInput, Reading } from '../../domain/target-app/observation.ts';
import { isSuspended } from '../../domain/target-app/suspension.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { PollResult, TargetAppMetrics } from '../../telemetry/metrics/target-app/target-app.ts';
import { attributesTold } from '../attributes-told.ts';
import type { MissingPods } from './missing-pods.ts';
import { createPodCensus, type PodsThere } from './pod-census.ts';
import type { WatchedPods } from './pod-index.ts';
import { type QueryTarget, queryTargetsOf } from './query-targets.ts';
import type { EffectiveSpec, TargetAppReader } from './reader.ts';
import { type Answered, readingsOf, unconfirmed } from './readings.ts';
import { sendQueries } from './send-queries.ts';
import { subscriptionTargetsOf } from './subscription-targets.ts';
import type { Subscriptions } from './subscriptions.ts';
import { pollRequestOf, type WatchedApp } from './watched-app.ts';

/** What a poll knows before anybody has answered. */
interface Turn {
  input: ObserveInput;
  told: Observation;
  inForce: EffectiveSpec;
  there: PodsThere;
}

export interface ObserveOptions {
  apps: TargetAppReader;
  pods: WatchedPods;
  unwatched: MissingPods;
  graphql: Graphql;
  /** Told whose subscriptions to follow. */
  subscriptions: Pick<Subscriptions, 'aim'>;
  metrics: Pick<TargetAppMetrics, 'polled'>;
  log: Log;
  limits: { maxStateBytes: number };
  /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
  attributes?(): string[] | null | undefined;
}

/** Asks every subject of a TargetApp once, and tells what differs from what the workflow knows. */
export type Observe = (input: ObserveInput, signal: AbortSignal, limitMs: number) => Promise<Observation>;

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
export function newsOf(app: WatchedApp, plan: CompiledSpec, input: ObserveInput): Omit<Observation, 'matched'> {
  const { mirror } = app;
  const told: Omit<Observation, 'matched'> = {};
  if (plan.digest !== input.plan) told.plan = plan;
  if (input.plan === undefined && mirror.length > 0) told.mirror = mirror;
  const requested = pollRequestOf(app);
  if (requested !== undefined && requested !== input.pollRequested) told.pollRequested = requested;
  return told;
}

/** What is told of the answers, and of the pods of which nobody can say whether they are there. */
const readingsTold = (
  { input, told, inForce, there, ...answers }: Pick<Answered, 'questions' | 'results'> & Turn,
  maxStateBytes: number,
): { readings: Reading[]; unsaid: Reading[] } => {
  // Another question makes what is known of the old one void: every answer is told.
  const isOtherPlan = told.plan !== undefined && input.plan !== undefined;
  const known = isOtherPlan ? {} : input.known;
  const undecided = isOtherPlan ? [] : there.undecided;
  return {
    readings: readingsOf({ ...answers, known, isAt: there.isAt }, inForce, maxStateBytes),
    unsaid: undecided.flatMap((subject) => unconfirmed(subject, known[subject])),
  };
};

/** Known subjects that are neither asked nor undecided: of those nobody can say whether they exist. */
const goneOf = ({ known }: ObserveInput, questions: QueryTarget[], undecided: string[]): string[] => {
  const kept = new Set([...questions.map(({ subject }) => subject), ...undecided]);
  return Object.keys(known).filter((subject) => !kept.has(subject));
};

export function createObserve(options: ObserveOptions): Observe {
  const { apps, graphql, metrics, log, limits, subscriptions } = options;
  const census = createPodCensus(options);

  const count = ({ app, due }: ObserveInput, result: PollResult, seconds: number, started: number): void => {
    const { namespace, name: tapp } = app;
    // Its series are gone with it, and are not to come back by a poll that was under way.
    if (apps.isKept(app))
      metrics.polled({ namespace, tapp, result, seconds, lagSeconds: secondsOf(Math.max(0, started - due)) });
    log.debug('polled', { namespace, tapp, result, seconds });
  };

  return async (input, signal, limitMs) => {
    const started = Date.now();
    const app = await apps.find(input.app, input.fresh ? Number.POSITIVE_INFINITY : generationIn(input.plan));
    if (app === undefined) return { matched: 0, deleted: true };
    const inForce = apps.effectiveSpec(app);
    const { plan, spec } = inForce;
    const news = { ...newsOf(app, plan, input), ...attributesTold(options.attributes?.(), input.attributes) };
    if (spec === undefined || plan.problems.length > 0 || isSuspended(plan, input.held, started))
      return { ...census.watched(input.app.namespace, inForce), ...news, unasked: 'stopped' };
    const there = await census.present(input, inForce, signal);
    const told: Observation = { ...there.seen, ...news };
    if (lookLimitMs(plan, told.matched) > limitMs) return { ...told, unasked: 'again' };

    const questions = queryTargetsOf(app, spec, plan, there.running);
    subscriptions.aim(input.app.uid, subscriptionTargetsOf(inForce, questions));
    const gone = goneOf(input, questions, there.undecided);
    const began = performance.now();
    const results = await sendQueries(graphql, questions, inForce, { known: input.known, signal });
    const { readings, unsaid } = readingsTold(
      { input, told, inForce, questions, results, there },
      limits.maxStateBytes,
    );
    count(input, resultOf(results, readings, told), secondsOf(performance.now() - began), started);
    const all = [...readings, ...unsaid];
    return { ...told, ...(gone.length > 0 && { gone }), ...(all.length > 0 && { readings: all }) };
  };
}
