import { Counter, collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import type { WatchScope } from '../../clients/kubernetes/informer/informer.ts';
import type { DropReason } from '../../domain/events.ts';
import { secondsOf } from '../../domain/seconds.ts';
import { scrape } from '../sdk-metrics.ts';
import { addReadGauge } from './read-gauge.ts';

/** Where an error that is not an application's fault came from. A closed list. */
export type ErrorCategory = 'kubernetes' | 'metrics' | 'status' | 'temporal';

/** How many objects of a kind are looked after in a namespace; empty for cluster-scoped ones. */
export interface ServedObjects {
  kind: string;
  namespace: string;
  count: number;
}

/** What KCO counts and measures of every kind. */
export interface GeneralMetrics {
  eventGenerated(event: { type: 'Normal' | 'Warning'; reason: string }): void;
  eventsDropped(events: { reason: DropReason; count: number }): void;
  failed(error: { category: ErrorCategory }): void;
  /** A status waited for room until a newer one took its place. */
  statusSuperseded(): void;
  /** Where it is read at each scrape how the watches of a resource stand. */
  readWatches(resource: string, read: () => Iterable<WatchScope>): void;
}

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

const countersIn = (registers: Registry[]) => ({
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
  superseded: new Counter({
    name: 'operator_kco_statuses_superseded_total',
    help: 'Statuses that waited for room until newer ones took their place',
    registers,
  }),
  errors: new Counter({
    name: 'operator_kco_errors_total',
    help: 'Errors of the operator itself, by where they came from',
    labelNames: ['category'],
    registers,
  }),
});

type WatchReaders = Map<string, () => Iterable<WatchScope>>;

const scopesIn = (readers: WatchReaders) =>
  [...readers].flatMap(([resource, read]) => [...read()].map((scope) => ({ resource, ...scope })));

function addWatchGauges(registers: Registry[], readers: WatchReaders): void {
  const labelNames = ['resource', 'namespace'];
  addReadGauge(
    registers,
    {
      name: 'operator_kco_watch_staleness_seconds',
      help: 'Time since the watch of a resource last heard anything',
      labelNames,
    },
    () =>
      scopesIn(readers).map(({ resource, namespace = '', stalenessMs }) => [
        { resource, namespace },
        secondsOf(stalenessMs),
      ]),
  );
  addReadGauge(
    registers,
    {
      name: 'operator_kco_watch_up',
      help: 'Whether a resource is listed and watched at the moment, in a namespace where only some are watched',
      labelNames,
    },
    () =>
      scopesIn(readers).map(({ resource, namespace = '', hasSynced, trouble }) => [
        { resource, namespace },
        hasSynced && trouble === undefined ? 1 : 0,
      ]),
  );
}

function addObjectGauge(registers: Registry[], read: () => ServedObjects[]): void {
  addReadGauge(
    registers,
    {
      name: 'operator_kco_objects',
      help: 'Custom resources that are looked after, by kind',
      labelNames: ['kind', 'namespace'],
    },
    () => read().map(({ kind, namespace, count }) => [{ kind, namespace }, count]),
  );
}

function addBuildInfo(registers: Registry[], version: string): void {
  new Gauge({
    name: 'operator_kco_build_info',
    help: 'Always 1; what runs stands in the labels',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
}

/**
 * How often Node looks how late the event loop is, in milliseconds, which is also the least that it can find. Looking every 10 ms,
 * as is the default, wakes up an idle operator a hundred times a second: half of what it costs then.
 */
const eventLoopMonitoringPrecision = 100;

/**
 * Adds what is counted of every kind to a registry.
 *
 * @param objects how many objects of each kind are looked after
 */
export function createGeneralMetrics(
  registry: Registry,
  version: string,
  objects: () => ServedObjects[],
): GeneralMetrics {
  const registers = [registry];
  const watches: WatchReaders = new Map();
  const counters = countersIn(registers);
  addWatchGauges(registers, watches);
  addObjectGauge(registers, objects);
  addBuildInfo(registers, version);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision });
  const reasonOf = createBound(mostReasons);
  return {
    eventGenerated: ({ type, reason }) => counters.events.inc({ type, reason: reasonOf(reason) }),
    eventsDropped: ({ reason, count }) => counters.dropped.inc({ reason }, count),
    failed: (error) => counters.errors.inc(error),
    statusSuperseded: () => counters.superseded.inc(),
    readWatches: (resource, read) => void watches.set(resource, read),
  };
}

/** Reads what Temporal's SDK counts; nothing when it does not answer, which is counted. */
export function createTemporalScrape(registry: Registry, url: string | undefined, failed: GeneralMetrics['failed']) {
  const up = new Gauge({
    name: 'operator_kco_temporal_metrics_up',
    help: 'Whether the metrics of the Temporal SDK are part of this answer',
    registers: [registry],
  });
  return async (): Promise<string> => {
    if (url === undefined) return '';
    try {
      const text = await scrape(url);
      up.set(1);
      return text;
    } catch {
      up.set(0);
      failed({ category: 'metrics' });
      return '';
    }
  };
}
