import { accessSync, constants } from 'node:fs';
import { hostname } from 'node:os';
import { msOf } from '../domain/seconds.ts';
import type { Config } from './configuration.ts';
import type { Settings, VariableName } from './variables.ts';
import { configurationTable, variables } from './variables.ts';

export type { Config } from './configuration.ts';
export { configurationTable } from './variables.ts';

/** One wrong setting: variables, what is wrong, the fix, in one line without secrets. */
export type ConfigProblem = string;

/** The environment cannot be run with. `problems` has every wrong setting, and so has the message, one per line. */
export class ConfigError extends Error {
  readonly problems: ConfigProblem[];
  constructor(problems: ConfigProblem[]) {
    super(`${problems.length} wrong setting${problems.length === 1 ? '' : 's'}:\n${problems.join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

type Env = Record<string, string | undefined>;

const table = new Map(configurationTable().map((row) => [row.name as string, row]));

/** Kubernetes itself sets `<SERVICE>_PORT=tcp://…` and more for each Service: one named `kco-metrics` would be KCO_METRICS_PORT. */
const isServiceLink = (name: string, value: string) =>
  /^(tcp|udp|sctp):\/\//.test(value) || /_SERVICE_(HOST|PORT(_.*)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/.test(name);

/** An empty variable is an absent one: ConfigMaps and shells make no difference either. */
const givenIn = (env: Env): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, raw]): [string, string][] => {
      const value = raw?.trim() ?? '';
      return value === '' || isServiceLink(name, value) ? [] : [[name, value]];
    }),
  );

const shown = (name: string, value: string) => {
  if (table.get(name)?.secret) return `${name} (hidden)`;
  const harmless = value.replace(/\/\/[^/@]*@/, '//(hidden)@');
  return `${name}=${JSON.stringify(harmless.length > 120 ? `${harmless.slice(0, 120)}…` : harmless)}`;
};

const wrongValue = (name: string, value: string): ConfigProblem => {
  const row = table.get(name);
  const unit = row?.unit === undefined ? '' : ` (${row.unit})`;
  const fallback = row?.fallback === undefined ? 'unset it' : `unset it for the default ${row.fallback}`;
  return `${shown(name, value)}: must be ${row?.limit}${unit}; correct it or ${fallback}`;
};

/** Files that are named but cannot be read. They are named to be read later, so it is said before anything starts. */
const unreadableFiles = (given: Record<string, string>): ConfigProblem[] =>
  Object.entries(given).flatMap(([name, path]) => {
    if (!name.startsWith('KCO_') || !name.endsWith('_FILE') || !table.has(name)) return [];
    try {
      accessSync(path, constants.R_OK);
      return [];
    } catch {
      return [`${shown(name, path)}: must be a file that this process can read; mount it or correct the path`];
    }
  });

interface CrossCheck {
  of: VariableName[];
  wrong(settings: Settings): boolean;
  fix: string;
}

const usesTls = (settings: Settings) =>
  settings.KCO_TEMPORAL_TLS_CA_FILE !== undefined ||
  settings.KCO_TEMPORAL_TLS_CERT_FILE !== undefined ||
  settings.KCO_TEMPORAL_TLS_KEY_FILE !== undefined ||
  settings.KCO_TEMPORAL_TLS_SERVER_NAME !== undefined;

const hasApiKey = (settings: Settings) =>
  settings.KCO_TEMPORAL_API_KEY !== undefined || settings.KCO_TEMPORAL_API_KEY_FILE !== undefined;

/** What is wrong only together. */
const crossChecks: CrossCheck[] = [
  {
    of: ['KCO_GRAPHQL_TIMEOUT', 'KCO_DEFAULT_POLLING_INTERVAL'],
    wrong: (s) => s.KCO_GRAPHQL_TIMEOUT > s.KCO_DEFAULT_POLLING_INTERVAL,
    fix: 'a query may not take longer than the time between two polls; lower the timeout or raise the interval',
  },
  {
    of: ['KCO_HEALTH_PORT', 'KCO_METRICS_PORT'],
    wrong: (s) => s.KCO_HEALTH_PORT !== 0 && s.KCO_HEALTH_PORT === s.KCO_METRICS_PORT,
    fix: 'two servers cannot share a port; change one',
  },
  {
    of: ['KCO_MAX_STATE_BYTES', 'KCO_MAX_RESPONSE_BYTES'],
    wrong: (s) => s.KCO_MAX_STATE_BYTES > s.KCO_MAX_RESPONSE_BYTES,
    fix: 'a state cannot be larger than the answer it comes in; lower the first or raise the second',
  },
  {
    of: ['KCO_TEMPORAL_API_KEY', 'KCO_TEMPORAL_API_KEY_FILE'],
    wrong: (s) => s.KCO_TEMPORAL_API_KEY !== undefined && s.KCO_TEMPORAL_API_KEY_FILE !== undefined,
    fix: 'only one of them can hold the key; unset the other',
  },
  {
    of: ['KCO_TEMPORAL_TLS_CERT_FILE', 'KCO_TEMPORAL_TLS_KEY_FILE'],
    wrong: (s) => (s.KCO_TEMPORAL_TLS_CERT_FILE === undefined) !== (s.KCO_TEMPORAL_TLS_KEY_FILE === undefined),
    fix: 'a client certificate needs its key and a key its certificate; set both or neither',
  },
  {
    of: ['KCO_TEMPORAL_TLS_ENABLED', 'KCO_TEMPORAL_API_KEY', 'KCO_TEMPORAL_API_KEY_FILE'],
    wrong: (s) => s.KCO_TEMPORAL_TLS_ENABLED === false && hasApiKey(s),
    fix: 'an API key is not sent in plain text; enable TLS or unset the key',
  },
  {
    of: ['KCO_TEMPORAL_TLS_ENABLED'],
    wrong: (s) => s.KCO_TEMPORAL_TLS_ENABLED === false && usesTls(s),
    fix: 'another KCO_TEMPORAL_TLS_ variable is set, which has no effect without TLS; enable TLS or unset that one',
  },
];

const crossProblems = (settings: Settings, given: Record<string, string>, bad: Set<string>): ConfigProblem[] =>
  crossChecks
    .filter((check) => !check.of.some((name) => bad.has(name)) && check.wrong(settings))
    .map((check) => {
      const values = check.of.map((name) => {
        const value = given[name];
        return value === undefined ? undefined : shown(name, value);
      });
      const named = values.every((value) => value === undefined) ? check.of : values.filter((v) => v !== undefined);
      const unset = check.of.filter((name) => given[name] === undefined && table.get(name)?.fallback?.match(/^\d+$/));
      const defaults = unset.map((name) => `${name} is ${table.get(name)?.fallback} by default`);
      return `${[...named, ...defaults].join(', ')}: ${check.fix}`;
    });

/** How many letters apart two names are, cut off early: enough to guess a typo. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

const unknownVariable = (name: string): string => {
  const [closest] = [...table.keys()]
    .map((known) => ({ known, off: distance(name, known) }))
    .sort((a, b) => a.off - b.off);
  const guess = closest !== undefined && closest.off <= 4 ? `; did you mean ${closest.known}?` : '';
  return `${name} is not a setting of KCO and has no effect${guess}`;
};

const unknownVariables = (given: Record<string, string>): string[] =>
  Object.keys(given)
    .filter((name) => name.startsWith('KCO_') && !table.has(name))
    .sort()
    .map(unknownVariable);

const tlsOf = (s: Settings): Config['temporal']['tls'] =>
  (s.KCO_TEMPORAL_TLS_ENABLED ?? (usesTls(s) || hasApiKey(s)))
    ? {
        caFile: s.KCO_TEMPORAL_TLS_CA_FILE,
        certFile: s.KCO_TEMPORAL_TLS_CERT_FILE,
        keyFile: s.KCO_TEMPORAL_TLS_KEY_FILE,
        serverName: s.KCO_TEMPORAL_TLS_SERVER_NAME,
      }
    : undefined;

const temporalOf = (s: Settings): Config['temporal'] => ({
  address: s.KCO_TEMPORAL_ADDRESS,
  namespace: s.KCO_TEMPORAL_NAMESPACE,
  taskQueue: s.KCO_TEMPORAL_TASK_QUEUE,
  webUrl: s.KCO_TEMPORAL_WEB_URL,
  tls: tlsOf(s),
  apiKey: s.KCO_TEMPORAL_API_KEY,
  apiKeyFile: s.KCO_TEMPORAL_API_KEY_FILE,
  metricsPort: s.KCO_TEMPORAL_METRICS_PORT,
});

const configOf = (s: Settings, warnings: string[]): Config => ({
  logLevel: s.KCO_LOG_LEVEL,
  identity: { operator: s.KCO_OPERATOR_NAME, pod: s.POD_NAME ?? hostname(), namespace: s.POD_NAMESPACE },
  leaderElection: s.KCO_LEADER_ELECTION ?? false,
  surface: { bindAddress: s.KCO_BIND_ADDRESS, healthPort: s.KCO_HEALTH_PORT, metricsPort: s.KCO_METRICS_PORT },
  kubernetes: { kubeconfig: s.KUBECONFIG, watchNamespaces: s.KCO_WATCH_NAMESPACES },
  temporal: temporalOf(s),
  worker: {
    maxCachedWorkflows: s.KCO_MAX_CACHED_WORKFLOWS,
    slots: {
      actions: s.KCO_MAX_CONCURRENT_ACTIONS,
      events: s.KCO_MAX_CONCURRENT_REPORTS,
      polls: s.KCO_MAX_CONCURRENT_ACTIVITIES,
      reports: s.KCO_MAX_CONCURRENT_REPORTS,
    },
    shutdownGraceMs: msOf(s.KCO_SHUTDOWN_GRACE),
  },
  observing: {
    defaultIntervalMs: msOf(s.KCO_DEFAULT_POLLING_INTERVAL),
    timeoutMs: msOf(s.KCO_GRAPHQL_TIMEOUT),
    maxRetries: s.KCO_GRAPHQL_MAX_RETRIES,
    maxConcurrentQueries: s.KCO_MAX_CONCURRENT_QUERIES,
    maxConnectionAgeMs: msOf(s.KCO_MAX_CONNECTION_AGE),
    maxConnectionsPerHost: s.KCO_MAX_CONNECTIONS_PER_HOST,
    maxRequestsPerHost: s.KCO_MAX_REQUESTS_PER_HOST,
    maxResponseBytes: s.KCO_MAX_RESPONSE_BYTES,
    maxStateBytes: s.KCO_MAX_STATE_BYTES,
    statusHeartbeatMs: msOf(s.KCO_STATUS_HEARTBEAT),
    maxConcurrentPolls: s.KCO_MAX_CONCURRENT_ACTIVITIES,
    maxSubscriptions: s.KCO_MAX_SUBSCRIPTIONS,
    turnMs: s.KCO_POLLS_PER_TURN === 1 ? 0 : msOf(s.KCO_TURN_LENGTH),
  },
  actions: {
    enabled: s.KCO_ENABLED_ACTIONS,
    patchKinds: s.KCO_PATCH_KINDS,
    timeoutMs: msOf(s.KCO_ACTION_EXECUTION_TIMEOUT),
  },
  warnings,
});

/**
 * Reads the environment; the only place that does. Empty variables count as unset.
 * Throws one `ConfigError` that lists every wrong setting: of single variables, of files, and of what does not go together.
 */
export const readConfig = (env: Env = process.env): Config => {
  const given = givenIn(env);
  const parsed = variables.safeParse(given);
  const bad = new Set(parsed.error?.issues.map((issue) => String(issue.path[0])));
  // Without the wrong ones the rest parses, so what does not go together is found in the same go.
  const good = Object.fromEntries(Object.entries(given).filter(([name]) => !bad.has(name)));
  const settings = parsed.data ?? variables.parse(good);
  const problems = [
    ...[...bad].map((name) => wrongValue(name, given[name] ?? '')),
    ...unreadableFiles(good),
    ...crossProblems(settings, given, bad),
  ];
  const warnings = unknownVariables(given);
  // By themselves they stop nothing; one may well be the wrong name of what is missing.
  if (problems.length > 0) throw new ConfigError([...problems, ...warnings]);
  return configOf(settings, warnings);
};

/** The configuration as it may be logged: secrets replaced, everything else as it works. */
export const effectiveConfig = ({ warnings: _, ...config }: Config): Omit<Config, 'warnings'> => ({
  ...config,
  temporal: { ...config.temporal, apiKey: config.temporal.apiKey === undefined ? undefined : '[redacted]' },
});
