import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createMetrics } from '../../src/telemetry/metrics/index.ts';
import { only, type Rendered, render } from './render.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Alert {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string; runbook_url: string };
}
interface Dashboard {
  panels: {
    id: number;
    type: string;
    title: string;
    description: string;
    gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
    targets?: { expr: string }[];
  }[];
}

let objects: Rendered[];
let alerts: Alert[];
let dashboard: Dashboard;

beforeAll(async () => {
  objects = await render({ 'prometheusRule.enabled': true, 'grafanaDashboard.enabled': true });
  alerts = only(objects, 'PrometheusRule')['spec'].groups.flatMap(({ rules }: { rules: Alert[] }) => rules);
  dashboard = JSON.parse(only(objects, 'ConfigMap', 'dashboard')['data']['kco-operator.json']) as Dashboard;
});

/** Metrics that an expression asks for, without the suffixes of a histogram's series. */
const metricsOf = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:operator_kco|temporal|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
    name.replace(/_bucket$/, ''),
  );

describe('alerts and panels', () => {
  it('ask for metrics that the operator has, and for labels that they carry', () => {
    const expressions = [
      ...alerts.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ];
    const registry = new Registry();
    createMetrics({ version: '0', registry });
    const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
    const own = new Set(expressions.flatMap(metricsOf).filter((name) => name.startsWith('operator_kco_')));
    expect([...own].filter((name) => !known.has(name))).toEqual([]);
    expect(own.size).toBeGreaterThan(9);
    const foreign = new Set(expressions.flatMap(metricsOf).filter((name) => !name.startsWith('operator_kco_')));
    expect([...foreign].sort()).toEqual([
      'nodejs_eventloop_lag_p99_seconds',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'temporal_workflow_task_execution_failed_total',
    ]);
  });

  it('have balanced brackets', () => {
    const expressions = [
      ...alerts.map(({ expr }) => expr),
      ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ];
    for (const expression of expressions)
      for (const [open, close] of ['()', '[]', '{}'])
        expect(expression.split(open ?? '').length).toBe(expression.split(close ?? '').length);
  });
});

describe('each alert', () => {
  it('has a runbook', () => {
    const headings = [...read('docs/operations.md').matchAll(/^### (\w+)$/gm)].map(([, heading]) => heading);
    expect(alerts.map(({ alert }) => alert)).toEqual(headings);
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook_url).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      expect(annotations.description.length).toBeGreaterThan(annotations.summary.length);
    }
  });

  it('names the installation’s own Service', () => {
    expect(alerts.find(({ alert }) => alert === 'KcoDown')?.expr).toBe('absent(up{job="kco-operator"} == 1)');
  });
});

describe('the dashboard', () => {
  it('has panels of different ids', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has panels that lie side by side and say what they show', () => {
    const taken = new Set<string>();
    for (const { title, type, description, gridPos } of dashboard.panels) {
      if (type !== 'row') expect(`${title}: ${description}`).toMatch(/: .{8,}/);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x}/${y}`)).toBe(false);
          expect(x).toBeLessThan(24);
          taken.add(`${x}/${y}`);
        }
    }
  });
});
