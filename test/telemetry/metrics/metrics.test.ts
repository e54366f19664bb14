import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../../src/telemetry/metrics/index.ts';
import {
  freeLoopbackPort,
  mergeExpositions,
  ScrapeError,
  scrape,
  temporalMetrics,
} from '../../../src/telemetry/sdk-metrics.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A real exporter on loopback. */
const exporter = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
};

const metrics = (temporalUrl?: string) => createMetrics({ version: '1.2.3', registry: new Registry(), temporalUrl });
const seriesIn = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name));

describe('what happened', () => {
  it.each<[string, (of: ReturnType<typeof metrics>) => void, string]>([
    [
      'a poll',
      (of) => of.polled({ namespace: 'shop', tapp: 'orders', result: 'changed', seconds: 0.02, lagSeconds: 0.2 }),
      'operator_kco_tapp_polls_total{namespace="shop",tapp="orders",result="changed"} 1',
    ],
    [
      'how long a poll took',
      (of) => of.polled({ namespace: 'shop', tapp: 'orders', result: 'Timeout', seconds: 0.02 }),
      'operator_kco_tapp_poll_duration_seconds_bucket{le="0.025"} 1',
    ],
    [
      'how late a poll was',
      (of) => of.polled({ namespace: 'a', tapp: 'b', result: 'unchanged', seconds: 1, lagSeconds: -0.1 }),
      'operator_kco_tapp_poll_lag_seconds_sum 0',
    ],
    [
      'an Event',
      (of) => of.eventGenerated({ type: 'Warning', reason: 'StateChanged' }),
      'operator_kco_events_generated_total{type="Warning",reason="StateChanged"} 1',
    ],
    [
      'Events that are left out',
      (of) => of.eventsDropped({ reason: 'RateLimited', count: 60 }),
      'operator_kco_events_dropped_total{reason="RateLimited"} 60',
    ],
    [
      'a status that a newer one has replaced',
      (of) => of.statusSuperseded(),
      'operator_kco_statuses_superseded_total 1',
    ],
    [
      'an action',
      (of) => of.actionExecuted({ type: 'restart_pod', status: 'succeeded', seconds: 3 }),
      'operator_kco_actions_executed_total{type="restart_pod",status="succeeded"} 1',
    ],
    [
      'how long an action took',
      (of) => of.actionExecuted({ type: 'restart_pod', status: 'succeeded', seconds: 3 }),
      'operator_kco_action_duration_seconds_sum{type="restart_pod"} 3',
    ],
    [
      'a firing',
      (of) => of.triggerFired({ action: 'webhook' }),
      'operator_kco_triggers_fired_total{action="webhook"} 1',
    ],
    [
      'a suppression',
      (of) => of.triggerSuppressed({ reason: 'Cooldown' }),
      'operator_kco_triggers_suppressed_total{reason="Cooldown"} 1',
    ],
    ['an error', (of) => of.failed({ category: 'temporal' }), 'operator_kco_errors_total{category="temporal"} 1'],
    [
      'monitors',
      (of) => of.readServedObjects(() => [{ kind: 'TargetApp', namespace: 'shop', count: 3 }]),
      'operator_kco_active_monitors{namespace="shop"} 3',
    ],
    [
      'objects of another kind',
      (of) => of.readServedObjects(() => [{ kind: 'Beacon', namespace: 'shop', count: 2 }]),
      'operator_kco_objects{kind="Beacon",namespace="shop"} 2',
    ],
    [
      'staleness',
      (of) => of.readWatches('pods', () => [{ hasSynced: true, stalenessMs: 1_500 }]),
      'operator_kco_watch_staleness_seconds{resource="pods",namespace=""} 1.5',
    ],
    [
      'a watch',
      (of) => of.readWatches('pods', () => [{ hasSynced: true, stalenessMs: 0, namespace: 'shop' }]),
      'operator_kco_watch_up{resource="pods",namespace="shop"} 1',
    ],
    [
      'a watch that was never listed',
      (of) => of.readWatches('pods', () => [{ hasSynced: false, stalenessMs: 0, namespace: 'shop' }]),
      'operator_kco_watch_up{resource="pods",namespace="shop"} 0',
    ],
    [
      'a watch that is interrupted',
      (of) => of.readWatches('pods', () => [{ hasSynced: true, stalenessMs: 0, namespace: 'b', trouble: 'forbidden' }]),
      'operator_kco_watch_up{resource="pods",namespace="b"} 0',
    ],
    ['the build', () => {}, `operator_kco_build_info{version="1.2.3",node="${process.version}"} 1`],
  ])('%s is told', async (_, happen, line) => {
    const subject = metrics();
    happen(subject);
    expect((await subject.text()).split('\n')).toContain(line);
  });

  it('includes how Node fares', async () => {
    expect(await metrics().text()).toContain('nodejs_eventloop_lag_p99_seconds');
  });
});

describe('the number of series', () => {
  it('falls back when a TargetApp is forgotten, and only by its own', async () => {
    const subject = metrics();
    for (const tapp of ['orders', 'carts']) {
      subject.polled({ namespace: 'shop', tapp, result: 'unchanged', seconds: 1 });
      subject.polled({ namespace: 'shop', tapp, result: 'ConnectFailed', seconds: 1 });
    }
    subject.forget('shop', 'orders');
    const series = seriesIn(await subject.text(), 'operator_kco_tapp_polls_total{');
    expect(series).toHaveLength(2);
    expect(series.every((line) => line.includes('tapp="carts"'))).toBe(true);
  });

  it('does not grow with TargetApps but for one counter', async () => {
    const lines = async (tapps: number) => {
      const subject = metrics();
      for (let n = 0; n < tapps; n++)
        subject.polled({ namespace: 'a', tapp: `t${n}`, result: 'unchanged', seconds: 1, lagSeconds: 0 });
      return seriesIn(await subject.text(), 'operator_kco_').length;
    };
    expect((await lines(50)) - (await lines(1))).toBe(49);
  });

  it('is bounded for reasons that users write', async () => {
    const subject = metrics();
    for (let n = 0; n < 300; n++) subject.eventGenerated({ type: 'Normal', reason: `Reason${n}` });
    const series = seriesIn(await subject.text(), 'operator_kco_events_generated_total{');
    expect(series).toHaveLength(201);
    expect(series).toContain('operator_kco_events_generated_total{type="Normal",reason="Other"} 100');
  });

  it('loses a namespace that has no monitor any more', async () => {
    const subject = metrics();
    let monitors = [{ kind: 'TargetApp', namespace: 'shop', count: 1 }];
    subject.readServedObjects(() => monitors);
    await subject.text();
    monitors = [];
    const text = await subject.text();
    expect(seriesIn(text, 'operator_kco_active_monitors{')).toEqual([]);
    expect(seriesIn(text, 'operator_kco_objects{')).toEqual([]);
  });
});

describe("Temporal's metrics", () => {
  it('are passed on as they are', async () => {
    const theirs = '# TYPE temporal_request_total counter\ntemporal_request_total{operation="x"} 3\n';
    const url = await exporter((_, response) => response.end(theirs));
    const text = await metrics(url).text();
    expect(text).toContain(theirs);
    expect(text).toContain('operator_kco_temporal_metrics_up 1');
  });

  it('being away does not take ours away', async () => {
    const subject = metrics(`http://127.0.0.1:${await freeLoopbackPort()}/metrics`);
    await subject.text();
    const text = await subject.text();
    expect(text).toContain('operator_kco_temporal_metrics_up 0');
    expect(text).toContain('operator_kco_errors_total{category="metrics"} 2');
    expect(text).toContain('nodejs_');
  });

  it.each<[string, RequestListener]>([
    ['HTTP status 500', (_, response) => response.writeHead(500).end()],
    ['redirects', (_, response) => response.writeHead(302, { location: 'http://example.com' }).end()],
    ['cannot be reached', (request) => request.socket.destroy()],
  ])('that end in "%s" are a ScrapeError', async (why, answer) => {
    const url = await exporter(answer);
    const failure = scrape(url);
    await expect(failure).rejects.toBeInstanceOf(ScrapeError);
    await expect(failure).rejects.toThrow(why);
  });

  it('are exported under their documented names, on loopback only', () => {
    expect(temporalMetrics(9090)).toEqual({
      metrics: {
        prometheus: {
          bindAddress: '127.0.0.1:9090',
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
        },
      },
      url: 'http://127.0.0.1:9090/metrics',
    });
  });
});

describe('a merged exposition', () => {
  it('has no family twice and no end in the middle', () => {
    const ours = '# HELP a_total A\n# TYPE a_total counter\na_total{x="1"} 1\n';
    const theirs = '# HELP a_total B\n# TYPE a_total counter\na_total{x="2"} 5\n# TYPE b gauge\nb 2\n# EOF\n';
    expect(mergeExpositions(ours, theirs)).toBe(`${ours}# TYPE b gauge\nb 2\n`);
  });
});

describe('docs/observability.md', () => {
  it('names every metric of ours, and none that does not exist', async () => {
    const registry = new Registry();
    createMetrics({ version: '0', registry });
    const registered = registry.getMetricsAsArray().map(({ name }) => name);
    const documented = readFileSync('docs/observability.md', 'utf8').match(/(?<=^\| `)operator_kco_\w+/gm) ?? [];
    expect(documented.sort()).toEqual(registered.filter((name) => name.startsWith('operator_kco_')).sort());
  });

  it('names the labels that each metric has', () => {
    const registry = new Registry();
    createMetrics({ version: '0', registry });
    const doc = readFileSync('docs/observability.md', 'utf8');
    const ours = registry.getMetricsAsArray().filter(({ name }) => name.startsWith('operator_kco_'));
    for (const metric of ours) {
      const labels = (metric as unknown as { labelNames: string[] }).labelNames.filter((label) => label !== 'le');
      const row = doc.split('\n').find((line) => line.startsWith(`| \`${metric.name}\``));
      const told = row?.split('|')[3]?.match(/\w+/g) ?? [];
      expect([metric.name, told]).toEqual([metric.name, labels]);
    }
  });
});
