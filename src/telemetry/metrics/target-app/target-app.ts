import { Counter, Histogram, type Registry } from 'prom-client';
import { type FailureClass, failureClasses } from '../../../domain/failure.ts';
import type { OutcomeStatus } from '../../../domain/target-app/action.ts';
import type { ServedObjects } from '../general.ts';
import { addReadGauge } from '../read-gauge.ts';
import { addFieldGauges, type FieldsOfApp } from './exported-fields.ts';

/** How a poll ended: with or without a difference, or why not at all. */
export type PollResult = 'changed' | 'unchanged' | FailureClass;

/** Polls that are due and have not ended: how many for too long, and the longest. */
export interface OverduePolls {
  count: number;
  longestSeconds: number;
}

/** What KCO counts and measures of TargetApps. Durations are seconds. */
export interface TargetAppMetrics {
  /** One poll of one TargetApp; lag is how much later than due it started. */
  polled(poll: { namespace: string; tapp: string; result: PollResult; seconds: number; lagSeconds?: number }): void;
  actionExecuted(action: { type: string; status: OutcomeStatus; seconds: number }): void;
  triggerFired(trigger: { action: string }): void;
  triggerSuppressed(trigger: { reason: string }): void;
  /** Where the fields that TargetApps export are read at each scrape. */
  readExportedFields(read: () => Iterable<FieldsOfApp>): void;
  /** Where it is read at each scrape which polls are overdue. */
  readOverduePolls(read: () => OverduePolls): void;
  /** Removes the series of a TargetApp that is gone. */
  forget(namespace: string, tapp: string): void;
}

/** Fine around the polls of a healthy fleet (milliseconds), coarse around deadlines. */
const pollBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const lagBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
const actionBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

const countersIn = (registers: Registry[]) => ({
  polls: new Counter({
    name: 'operator_kco_tapp_polls_total',
    help: 'Polls of a TargetApp by result: changed, unchanged, or the class of the failure',
    labelNames: ['namespace', 'tapp', 'result'],
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
});

const histogramsIn = (registers: Registry[]) => ({
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
});

function addMonitorGauge(registers: Registry[], read: () => ServedObjects[]): void {
  addReadGauge(
    registers,
    { name: 'operator_kco_active_monitors', help: 'TargetApps that are looked after', labelNames: ['namespace'] },
    () =>
      read()
        .filter(({ kind }) => kind === 'TargetApp')
        .map(({ namespace, count }) => [{ namespace }, count]),
  );
}

function addOverdueGauges(registers: Registry[], read: () => OverduePolls): void {
  const labelNames: string[] = [];
  addReadGauge(
    registers,
    {
      name: 'operator_kco_tapp_polls_overdue',
      help: 'TargetApps whose poll has been due for more than 30 s',
      labelNames,
    },
    () => [[{}, read().count]],
  );
  addReadGauge(
    registers,
    {
      name: 'operator_kco_tapp_poll_overdue_seconds',
      help: 'For how long the longest due poll has been so',
      labelNames,
    },
    () => [[{}, read().longestSeconds]],
  );
}

/**
 * Adds what is counted of TargetApps to a registry. Series per TargetApp are kept to one counter (at most 18 results, usually 2)
 * and to what its `spec.metrics` asks for, because a fleet has thousands of them and a histogram has a dozen series for each;
 * durations are told for the whole fleet.
 *
 * @param objects how many objects of each kind are looked after
 */
export function createTargetAppMetrics(registry: Registry, objects: () => ServedObjects[]): TargetAppMetrics {
  const registers = [registry];
  let fields: () => Iterable<FieldsOfApp> = () => [];
  let overdue = (): OverduePolls => ({ count: 0, longestSeconds: 0 });
  const counters = countersIn(registers);
  const histograms = histogramsIn(registers);
  addMonitorGauge(registers, objects);
  addFieldGauges(registers, () => [...fields()]);
  addOverdueGauges(registers, () => overdue());
  const results: PollResult[] = ['changed', 'unchanged', ...failureClasses];
  return {
    polled({ namespace, tapp, result, seconds, lagSeconds }) {
      counters.polls.inc({ namespace, tapp, result });
      histograms.pollSeconds.observe(seconds);
      if (lagSeconds !== undefined) histograms.lagSeconds.observe(Math.max(0, lagSeconds));
    },
    actionExecuted({ type, status, seconds }) {
      counters.actions.inc({ type, status });
      histograms.actionSeconds.observe({ type }, seconds);
    },
    triggerFired: (trigger) => counters.fired.inc(trigger),
    triggerSuppressed: (trigger) => counters.suppressed.inc(trigger),
    readExportedFields(read) {
      fields = read;
    },
    readOverduePolls(read) {
      overdue = read;
    },
    forget(namespace, tapp) {
      for (const result of results) counters.polls.remove({ namespace, tapp, result });
    },
  };
}
