/** One panel: a question and the queries that answer it. */
interface Panel {
  title: string;
  description: string;
  /** PromQL and what each of its series is called. */
  queries: [expression: string, legend: string][];
  /** Grafana's unit id. */
  unit?: 's' | 'ops' | 'short' | 'bytes' | 'percentunit';
  kind?: 'stat' | 'timeseries' | 'table';
  /** Of 24 columns. Default 8. */
  width?: number;
}

const rate = '$__rate_interval';
const tapp = 'namespace=~"$namespace"';

const rows: { title: string; panels: Panel[] }[] = [
  {
    title: 'Is it working?',
    panels: [
      {
        title: 'Operators',
        description: 'Replicas that answer, by version.',
        queries: [['sum by (version) (operator_kco_build_info)', '{{version}}']],
        kind: 'stat',
        width: 4,
      },
      {
        title: 'TargetApps',
        description: 'How many are looked after. Each replica counts all of them, so the largest count is shown.',
        queries: [[`sum(max by (namespace) (operator_kco_active_monitors{${tapp}}))`, 'TargetApps']],
        kind: 'stat',
        width: 4,
      },
      {
        title: 'Polls',
        description: 'Polls per second, by what they found. Anything but changed and unchanged is a class of failure.',
        queries: [[`sum by (result) (rate(operator_kco_tapp_polls_total{${tapp}}[${rate}]))`, '{{result}}']],
        unit: 'ops',
      },
      {
        title: 'Watch staleness',
        description: 'Time since the watches of the API server last heard anything.',
        queries: [
          ['max by (resource, namespace) (operator_kco_watch_staleness_seconds)', '{{resource}} {{namespace}}'],
        ],
        unit: 's',
      },
    ],
  },
  {
    title: 'What did it do?',
    panels: [
      {
        title: 'Triggers fired',
        description: 'Rules that fired, by the action they ask for.',
        queries: [[`sum by (action) (increase(operator_kco_triggers_fired_total[${rate}]))`, '{{action}}']],
      },
      {
        title: 'Actions',
        description: 'Actions that ended, by kind and outcome.',
        queries: [
          [`sum by (type, status) (increase(operator_kco_actions_executed_total[${rate}]))`, '{{type}} {{status}}'],
        ],
      },
      {
        title: 'Events',
        description: 'Kubernetes Events recorded, by reason.',
        queries: [[`sum by (reason) (increase(operator_kco_events_generated_total[${rate}]))`, '{{reason}}']],
      },
    ],
  },
  {
    title: 'What is slow?',
    panels: [
      {
        title: 'Poll duration',
        description: 'From the start of a poll until all its pods have answered or failed.',
        queries: [50, 95, 99].map((percent) => [
          `histogram_quantile(0.${percent}, sum by (le) (rate(operator_kco_tapp_poll_duration_seconds_bucket[${rate}])))`,
          `p${percent}`,
        ]),
        unit: 's',
      },
      {
        title: 'Poll lag',
        description: 'How much later than due polls start. It grows when the worker or Temporal has too much to do.',
        queries: [50, 95, 99].map((percent) => [
          `histogram_quantile(0.${percent}, sum by (le) (rate(operator_kco_tapp_poll_lag_seconds_bucket[${rate}])))`,
          `p${percent}`,
        ]),
        unit: 's',
      },
      {
        title: 'Action duration, p95',
        description: 'By kind of action.',
        queries: [
          [
            `histogram_quantile(0.95, sum by (le, type) (rate(operator_kco_action_duration_seconds_bucket[${rate}])))`,
            '{{type}}',
          ],
        ],
        unit: 's',
      },
    ],
  },
  {
    title: 'What is refused, and what fails?',
    panels: [
      {
        title: 'Triggers suppressed',
        description: 'Evaluations that could have fired and did not, by reason.',
        queries: [[`sum by (reason) (increase(operator_kco_triggers_suppressed_total[${rate}]))`, '{{reason}}']],
      },
      {
        title: 'Applications that do not answer',
        description: 'Share of the polls of the last quarter of an hour that failed, the ten worst.',
        queries: [
          [
            `topk(10, sum by (namespace, tapp) (rate(operator_kco_tapp_polls_total{${tapp},result!~"changed|unchanged"}[15m])) / sum by (namespace, tapp) (rate(operator_kco_tapp_polls_total{${tapp}}[15m])))`,
            '{{namespace}}/{{tapp}}',
          ],
        ],
        unit: 'percentunit',
        kind: 'table',
      },
      {
        title: 'Errors of the operator',
        description: 'By category.',
        queries: [[`sum by (category) (increase(operator_kco_errors_total[${rate}]))`, '{{category}}']],
      },
    ],
  },
  {
    title: 'What does it cost?',
    panels: [
      {
        title: 'CPU',
        description: 'Cores, by replica.',
        queries: [
          [
            `sum by (pod) (rate(process_cpu_seconds_total[${rate}]) * on (instance) group_left (pod) operator_kco_build_info)`,
            '{{pod}}',
          ],
        ],
      },
      {
        title: 'Memory',
        description: 'Resident set, by replica.',
        queries: [
          [
            'sum by (pod) (process_resident_memory_bytes * on (instance) group_left (pod) operator_kco_build_info)',
            '{{pod}}',
          ],
        ],
        unit: 'bytes',
      },
      {
        title: 'Event loop lag, p99',
        description: 'Above half a second the process is short of CPU.',
        queries: [
          [
            'max by (pod) (nodejs_eventloop_lag_p99_seconds * on (instance) group_left (pod) operator_kco_build_info)',
            '{{pod}}',
          ],
        ],
        unit: 's',
      },
    ],
  },
];

const datasource = { type: 'prometheus', uid: '$datasource' };

const defaultsOf = ({ kind = 'timeseries', unit = 'short' }: Panel) => ({
  unit,
  ...(kind === 'timeseries' && { min: 0, custom: { fillOpacity: 10, showPoints: 'never', spanNulls: true } }),
});

const panelOf = (panel: Panel, id: number, x: number, y: number) => ({
  id,
  type: panel.kind ?? 'timeseries',
  title: panel.title,
  description: panel.description,
  datasource,
  gridPos: { x, y, w: panel.width ?? 8, h: 8 },
  fieldConfig: { defaults: defaultsOf(panel), overrides: [] },
  targets: panel.queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource,
    expr,
    legendFormat,
    ...(panel.kind === 'table' && { instant: true, format: 'table' }),
  })),
});

/** Rows and panels with their places: nine lines a row, panels side by side. */
const laidOut = () => {
  let id = 0;
  return rows.flatMap(({ title, panels }, row) => {
    let x = 0;
    const head = { id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y: row * 9, w: 24, h: 1 } };
    const placed = panels.map((panel) => {
      const made = panelOf(panel, ++id, x, row * 9 + 1);
      x += panel.width ?? 8;
      return made;
    });
    return [head, ...placed];
  });
};

/** The Grafana dashboard of the chart. */
export const dashboard = () => ({
  uid: 'kco-operator',
  title: 'KCO',
  description: 'Is the Kubernetes Control Operator working, what did it do, what is slow, what is refused.',
  tags: ['kco', 'kubernetes', 'temporal'],
  schemaVersion: 39,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
      {
        name: 'namespace',
        type: 'query',
        label: 'Namespace',
        datasource,
        query: { query: 'label_values(operator_kco_active_monitors, namespace)', refId: 'namespaces' },
        refresh: 2,
        multi: true,
        includeAll: true,
        allValue: '.*',
        current: { text: 'All', value: '$__all' },
      },
    ],
  },
  panels: laidOut(),
});
