import type { KubeObject } from '../src/clients/kubernetes/client.ts';

/** What an operator says of its polls so far. */
export interface PollCounts {
  polls: number;
  /** How many polls started at most so many seconds after they were due, by that number of seconds. */
  within: Map<number, number>;
}

/** Reads them out of the text of `/metrics`. */
export function pollCounts(text: string): PollCounts {
  const counts: PollCounts = { polls: 0, within: new Map() };
  for (const line of text.split('\n')) {
    const [series = '', value = ''] = line.split(' ');
    if (series.startsWith('operator_kco_tapp_polls_total{')) counts.polls += Number(value);
    const bound = /^operator_kco_tapp_poll_lag_seconds_bucket\{le="([^"]+)"\}$/.exec(series)?.[1];
    if (bound !== undefined)
      counts.within.set(bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), Number(value));
  }
  return counts;
}

/** The smallest bound, in milliseconds, that so many percent of the polls between two readings kept. */
export function lagPercentile(before: PollCounts, after: PollCounts, percent: number): number {
  const since = [...after.within].map(([bound, count]) => [bound, count - (before.within.get(bound) ?? 0)] as const);
  const all = Math.max(...since.map(([, count]) => count));
  const [bound = Number.NaN] = since.find(([, count]) => count >= (all * percent) / 100) ?? [];
  return bound * 1000;
}

/** How many pods have no Event that tells of the change. */
export function changesMissed(pods: string[], events: (KubeObject & { reason?: string; message?: string })[]): number {
  const told = events.filter(({ reason }) => reason === 'StateChanged').map(({ message }) => message ?? '');
  return pods.filter((pod) => !told.some((message) => message.includes('to degraded') && message.endsWith(pod))).length;
}
