import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WatchScope } from '../../clients/kubernetes/informer/informer.ts';
import type { DropReason } from '../../domain/events.ts';
import { type FailureClass, failureClasses } from '../../domain/failure.ts';
import type { OutcomeStatus } from '../../domain/target-app/action.ts';
import { mergeExpositions, scrape } from '../sdk-metrics.ts';
import { type FieldsOfApp, registerFieldGauges } from './exported-fields.ts';

/** How a poll ended: with or without a difference, or why not at all. */
export type PollResult = 'changed' | 'unchanged' | FailureClass;

/** Where an error that is not an application's fault came from. A closed list. */
export type ErrorCategory = 'kubernetes' | 'metrics' | 'status' | 'temporal';

/** What KCO counts and measures. Durations are seconds. */
export interface Metrics {
  /** One poll of one TargetApp; lag is how much later than due it started. */
  polled(poll: { namespace: string; tapp: string; result: PollResult; seconds: number; lagSeconds?: number }): void;
  eventGenerated(event: { type: 'Normal' | 'Warning'; reason: string }): void;
  eventsDropped(events: { reason: DropReason; count: number }): void;
  actionExecuted(action: { type: string; status: OutcomeStatus; seconds: number }): void;
  triggerFired(trigger: { action: string }): void;
  triggerSuppressed(trigger: { reason: string }): void;
  failed(error: { category: ErrorCategory }): void;
  /** Where the number of TargetApps per namespace is read at each scrape. */
  readActiveMonitors(read: () => Iterable<readonly [namespace: string, monitors: number]>): void;
  /** Where the fields that TargetApps export are read at each scrape. */
  readExportedFields(read: () => Iterable<FieldsOfApp>): void;
  /** Where it is read at each scrape how the watches of a resource stand. */
  readWatches(resource: string, read: () => Iterable<WatchScope>): void;
  /** Removes the series of a TargetApp that is gone. */
  forget(namespace: string, tapp: string): void;
  /** Everything in Prometheus' text format 0.0.4. Never throws for the lack of Temporal's part. */
  text(): Promise<string>;
}

/** What metrics are made of. */
export interface MetricsOptions {
  /** Version of KCO. */
  version: string;
  registry?: Registry;
  /** Where Temporal's SDK serves its metrics; absent: they are left out. */
  temporalUrl?: string;
}

/** Fine around the polls of a healthy fleet (milliseconds), coarse around deadlines. */
const pollBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const lagBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
const actionBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** Reasons of Events can be written by users (`spec.events[].reason`); further ones count as `Other`. */
const mostReasons = 200;

const createBound = (most: number) => {
  const seen = new Set<string>();
  return (value: string): string => {
    if (seen.has(value)) return value;
    if (seen.size >= most) return 'Other';
    seen.add(value);
    return value;
  };
};

const countersIn = (registry: Registry) => {
  const registers = [registry];
  return {
    polls: new Counter({
      name: 'operator_kco_tapp_polls_total',
      help: 'Polls of a TargetApp by result: changed, unchanged, or the class of the failure',
      labelNames: ['namespace', 'tapp', 'result'],
      registers,
    }),
    events: new Counter({
      name: 'operator_kco_events_generated_total',
      help: 'Kubernetes Events recorded, repeats included',
      labelNames: ['type', 'reason'],
      registers,
    }),
    dropped: new Counter({
      name: 'operator_kco_events_dropped_total',
      help: 'Kubernetes Events that were not recorded, by why',
      labelNames: ['reason'],
      registers,
    }),
    actions: new Counter({
      name: 'operator_kco_actions_executed_total',
      help: 'Actions that ended, by kind of action and by how they ended',
      labelNames: ['type', 'status'],
      registers,
    }),
    fired: new Counter({
      name: 'operator_kco_triggers_fired_total',
      help: 'Rules that fired, by kind of action',
      labelNames: ['action'],
      registers,
    }),
    suppressed: new Counter({
      name: 'operator_kco_triggers_suppressed_total',
      help: 'Evaluations that could have fired and did not, by reason',
      labelNames: ['reason'],
      registers,
    }),
    errors: new Counter({
      name: 'operator_kco_errors_total',
      help: 'Errors of the operator itself, by where they came from',
      labelNames: ['category'],
      registers,
    }),
  };
};

const histogramsIn = (registry: Registry) => {
  const registers = [registry];
  return {
    pollSeconds: new Histogram({
      name: 'operator_kco_tapp_poll_duration_seconds',
      help: 'Time from the start of a poll until all its pods have answered or failed',
      buckets: pollBuckets,
      registers,
    }),
    lagSeconds: new Histogram({
      name: 'operator_kco_tapp_poll_lag_seconds',
      help: 'How much later than due a poll started',
      buckets: lagBuckets,
      registers,
    }),
    actionSeconds: new Histogram({
      name: 'operator_kco_action_duration_seconds',
      help: 'Time that one action took, by kind of action',
      labelNames: ['type'],
      buckets: actionBuckets,
      registers,
    }),
  };
};

type Readers = {
  fields: () => Iterable<FieldsOfApp>;
  monitors: () => Iterable<readonly [string, number]>;
  watches: Map<string, () => Iterable<WatchScope>>;
};

const standing = ({ watches }: Readers) =>
  [...watches].flatMap(([resource, read]) => [...read()].map((scope) => ({ resource, ...scope })));

const gaugesIn = (registry: Registry, readers: Readers, version: string) => {
  const registers = [registry];
  new Gauge({
    name: 'operator_kco_active_monitors',
    help: 'TargetApps that are looked after',
    labelNames: ['namespace'],
    registers,
    collect() {
      this.reset();
      for (const [namespace, monitors] of readers.monitors()) this.set({ namespace }, monitors);
    },
  });
  new Gauge({
    name: 'operator_kco_watch_staleness_seconds',
    help: 'Time since the watch of a resource last heard anything',
    labelNames: ['resource', 'namespace'],
    registers,
    collect() {
      this.reset();
      for (const { resource, namespace = '', stalenessMs } of standing(readers))
        this.set({ resource, namespace }, stalenessMs / 1000);
    },
  });
  new Gauge({
    name: 'operator_kco_watch_up',
    help: 'Whether a resource is listed and watched at the moment, in a namespace where only some are watched',
    labelNames: ['resource', 'namespace'],
    registers,
    collect() {
      this.reset();
      for (const { resource, namespace = '', hasSynced, trouble } of standing(readers))
        this.set({ resource, namespace }, hasSynced && trouble === undefined ? 1 : 0);
    },
  });
  new Gauge({
    name: 'operator_kco_build_info',
    help: 'Always 1; what runs stands in the labels',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  return {
    temporalUp: new Gauge({
      name: 'operator_kco_temporal_metrics_up',
      help: 'Whether the metrics of the Temporal SDK are part of this answer',
      registers,
    }),
  };
};

/**
 * Creates the metrics of a process. Series per TargetApp are kept to one counter (at most 18 results, usually 2) and to what its
 * `spec.metrics` asks for, because a fleet has thousands of them and a histogram has a dozen series for each; durations are told for
 * the whole fleet.
 */
export const createMetrics = ({ version, registry = new Registry(), temporalUrl }: MetricsOptions): Metrics => {
  const readers: Readers = { fields: () => [], monitors: () => [], watches: new Map() };
  const counters = countersIn(registry);
  const histograms = histogramsIn(registry);
  const gauges = gaugesIn(registry, readers, version);
  registerFieldGauges(registry, () => readers.fields());
  collectDefaultMetrics({ register: registry });
  const reasonOf = createBound(mostReasons);
  const results: PollResult[] = ['changed', 'unchanged', ...failureClasses];

  const temporalText = async (url: string): Promise<string> => {
    try {
      const text = await scrape(url);
      gauges.temporalUp.set(1);
      return text;
    } catch {
      gauges.temporalUp.set(0);
      counters.errors.inc({ category: 'metrics' });
      return '';
    }
  };

  return {
    polled({ namespace, tapp, result, seconds, lagSeconds }) {
      counters.polls.inc({ namespace, tapp, result });
      histograms.pollSeconds.observe(seconds);
      if (lagSeconds !== undefined) histograms.lagSeconds.observe(Math.max(0, lagSeconds));
    },
    eventGenerated: ({ type, reason }) => counters.events.inc({ type, reason: reasonOf(reason) }),
    eventsDropped: ({ reason, count }) => counters.dropped.inc({ reason }, count),
    actionExecuted({ type, status, seconds }) {
      counters.actions.inc({ type, status });
      histograms.actionSeconds.observe({ type }, seconds);
    },
    triggerFired: (trigger) => counters.fired.inc(trigger),
    triggerSuppressed: (trigger) => counters.suppressed.inc(trigger),
    failed: (error) => counters.errors.inc(error),
    readActiveMonitors(read) {
      readers.monitors = read;
    },
    readExportedFields(read) {
      readers.fields = read;
    },
    readWatches: (resource, read) => void readers.watches.set(resource, read),
    forget(namespace, tapp) {
      for (const result of results) counters.polls.remove({ namespace, tapp, result });
    },
    async text() {
      const theirs = temporalUrl === undefined ? '' : await temporalText(temporalUrl);
      return mergeExpositions(await registry.metrics(), theirs);
    },
  };
};
