import { z } from 'zod';
import { type ActionName, actionNames } from '../api/target-app/actions.ts';

/** What is known of a variable besides how it is parsed; the source of the documentation and of error messages. */
export interface VariableFacts {
  /** What the value means, one sentence without a full stop at the end of clauses. */
  meaning: string;
  /** Which values are allowed, in words that can follow "must be". */
  limit: string;
  /** The default as a person would write it; absent when there is none. */
  fallback?: string;
  unit?: string;
  /** What `limit` says of a whole number, and of a text that one expression describes; for schemas of elsewhere. */
  range?: { min: number; max: number };
  pattern?: string;
  /** Never shown: not in errors, not in the log. */
  secret?: true;
}

/** Facts of every variable, by its schema. */
export const variableFacts = z.registry<VariableFacts>();

type Described = Pick<VariableFacts, 'meaning' | 'unit'>;

const text = (limit: string, allowed: (value: string) => boolean) => z.string().refine(allowed, limit);

const wholeNumber = (min: number, max: number, fallback: number, described: Described) => {
  const limit = `a whole number from ${min} to ${max}`;
  return text(limit, (value) => /^\d{1,15}$/.test(value) && Number(value) >= min && Number(value) <= max)
    .transform(Number)
    .default(fallback)
    .register(variableFacts, { ...described, limit, range: { min, max }, fallback: String(fallback) });
};

const port = (fallback: number, meaning: string) => wholeNumber(0, 65_535, fallback, { meaning });

const anyText = (meaning: string, facts: Partial<VariableFacts> = {}) =>
  z
    .string()
    .optional()
    .register(variableFacts, { meaning, limit: 'a text', ...facts });

const textWith = (fallback: string, limit: string, allowed: RegExp, meaning: string) =>
  text(limit, (value) => allowed.test(value))
    .default(fallback)
    .register(variableFacts, { meaning, limit, pattern: allowed.source, fallback });

const flag = (meaning: string, fallback: string) =>
  z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .register(variableFacts, { meaning, limit: '`true` or `false`', fallback });

const parts = (value: string) =>
  [...new Set(value.split(',').map((part) => part.trim()))].filter((part) => part !== '');

const isActionName = (name: string): name is ActionName => actionNames.some((known) => known === name);

/** Log levels, quietest last. */
export const logLevels = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const hostAndPort = /^[A-Za-z0-9._-]+:\d{1,5}$|^\[[0-9a-fA-F:.]+\]:\d{1,5}$/;
const address = /^[0-9a-fA-F:.]{2,45}$|^localhost$/;

const isWebUrl = (value: string) => {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};

const enabledActionsLimit = `a comma-separated list of ${actionNames.join(', ')}, or \`none\``;
const namespacesLimit = 'a comma-separated list of namespace names';
const patchKindsLimit =
  'a comma-separated list of `Kind` (of the core group) or `Kind.group`, such as `ConfigMap,Deployment.apps`';

/** A kind as an administrator lists it for `patch_resource`: `Kind` of the core group, or `Kind.group`. */
export const patchKind = /^[A-Z][A-Za-z0-9]{0,62}(\.[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$/;

/** At least one: a list of commas must not read as "everything". */
const arePatchKinds = (value: string) => parts(value).length > 0 && parts(value).every((kind) => patchKind.test(kind));

/** Every variable that KCO reads, in alphabetical order. Values are the text of the environment; output is typed. */
export const variables = z.object({
  KCO_ACTION_EXECUTION_TIMEOUT: wholeNumber(1, 86_400, 300, {
    unit: 's',
    meaning: 'How long one attempt of an action may take when its rule sets no `timeout`',
  }),
  KCO_BIND_ADDRESS: textWith(
    '0.0.0.0',
    'an IP address',
    address,
    'The address on which health and metrics are served; `::` for all addresses of both families',
  ),
  KCO_DEFAULT_POLLING_INTERVAL: wholeNumber(1, 86_400, 30, {
    unit: 's',
    meaning: 'Time between two polls of a TargetApp that sets no `pollingInterval`',
  }),
  KCO_ENABLED_ACTIONS: text(enabledActionsLimit, (value) => value === 'none' || parts(value).every(isActionName))
    .transform((value) => parts(value).filter(isActionName))
    .default(['restart_pod', 'scale_deployment', 'webhook'])
    .register(variableFacts, {
      meaning:
        'The actions that rules may use. `exec_command` and `patch_resource` hand out what RBAC gives the operator, so they are off until named here; the chart sets it from `actions.<action>.enabled`',
      limit: enabledActionsLimit,
      fallback: 'restart_pod,scale_deployment,webhook',
    }),
  KCO_GRAPHQL_MAX_RETRIES: wholeNumber(0, 20, 3, {
    meaning: 'Further attempts of one query inside one poll, all within the deadline of the query',
  }),
  KCO_GRAPHQL_TIMEOUT: wholeNumber(1, 3_600, 10, {
    unit: 's',
    meaning: 'Deadline of one query, from connecting to the last byte, when the TargetApp sets no `timeout`',
  }),
  KCO_HEALTH_PORT: port(8081, 'Port of `/healthz`, `/readyz` and `/stats`; `0` takes any free port'),
  KCO_LEADER_ELECTION: flag(
    'Whether one replica at a time (the holder of the Lease `kco-operator`) tells Temporal what the watch tells; for more than one replica',
    'false',
  ),
  KCO_LOG_LEVEL: z
    .enum(logLevels)
    .default('INFO')
    .register(variableFacts, {
      meaning: 'The least severe level that is logged',
      limit: `one of ${logLevels.join(', ')}`,
      fallback: 'INFO',
    }),
  KCO_MAX_CACHED_WORKFLOWS: wholeNumber(1, 100_000, 200, {
    meaning:
      'Workflows kept in memory between their turns, each about 0.3 MiB; those beyond it are replayed from their history when they wake',
  }),
  KCO_MAX_CONCURRENT_ACTIONS: wholeNumber(1, 10_000, 100, {
    meaning: 'Actions that one replica runs at the same time; they take no place from polls and reports',
  }),
  KCO_MAX_CONCURRENT_ACTIVITIES: wholeNumber(1, 10_000, 100, {
    meaning:
      'Polls that one replica runs at the same time, at most half of them of one namespace; those that wait for an answer longer than 0.05 s do not count, up to a hundred times as many. With `KCO_POLLS_PER_TURN=1` all count, of any namespace',
  }),
  KCO_MAX_CONCURRENT_QUERIES: wholeNumber(1, 1_000, 64, {
    meaning: 'Pods of one TargetApp that are asked at the same time in one poll',
  }),
  KCO_MAX_CONCURRENT_REPORTS: wholeNumber(1, 10_000, 100, {
    meaning:
      'TargetApps whose status one replica writes at the same time, and as many whose Events it records; at most half of them of one namespace',
  }),
  KCO_MAX_CONNECTIONS_PER_HOST: wholeNumber(1, 10_000, 64, {
    meaning:
      'Connections to one host and port that are in use at the same time; a request that finds none free waits, and is `Throttled` when its time is over',
  }),
  KCO_MAX_CONNECTION_AGE: wholeNumber(1, 86_400, 120, {
    unit: 's',
    meaning:
      'How long a connection to an application or a receiver of webhooks is used; after it the name is resolved anew, and whoever balances the load has a new choice',
  }),
  KCO_MAX_REQUESTS_PER_HOST: wholeNumber(1, 100_000, 500, {
    unit: '/s',
    meaning:
      'Queries per second to one host and port, with twice as many at once after a pause; those beyond it wait, and are `Throttled` when their time is over. A gateway in front of many applications is one host',
  }),
  KCO_MAX_RESPONSE_BYTES: wholeNumber(1_024, 67_108_864, 1_048_576, {
    unit: 'bytes',
    meaning: 'Where the body of an answer is cut off while it is read; a longer one is `TooLarge`',
  }),
  KCO_MAX_STATE_BYTES: wholeNumber(256, 1_048_576, 65_536, {
    unit: 'bytes',
    meaning:
      'The largest state of one pod that is kept; a larger one is `TooLarge`. It bounds what enters a workflow history',
  }),
  KCO_MAX_SUBSCRIPTIONS: wholeNumber(0, 100_000, 2_000, {
    meaning:
      'Subscriptions of applications that one replica keeps at the same time, one for each pod of a TargetApp with `stateSubscription`, of up to 70 KiB each; those beyond it are only polled. `0`: none',
  }),
  KCO_METRICS_PORT: port(8080, 'Port of `/metrics`; `0` takes any free port'),
  KCO_OPERATOR_NAME: textWith(
    'kco',
    'a DNS label (lower case letters, digits and -, at most 63)',
    dnsLabel,
    'The name of this installation in logs and Events',
  ),
  KCO_PATCH_KINDS: text(patchKindsLimit, arePatchKinds).transform(parts).optional().register(variableFacts, {
    meaning:
      'The kinds that `patch_resource` may patch; any other is refused with `KindNotAllowed`. RBAC has to allow it as well',
    limit: patchKindsLimit,
    fallback: '(whatever RBAC allows)',
  }),
  KCO_POLLS_PER_TURN: wholeNumber(0, 1, 0, {
    meaning:
      'How many polls are one row in the history of a workflow: `0`: all until something differs; `1`: each is one, which costs many times as much',
  }),
  KCO_SHUTDOWN_GRACE: wholeNumber(0, 3_600, 30, {
    unit: 's',
    meaning:
      'How long running actions may finish after SIGTERM before they are handed over; keep it below `terminationGracePeriodSeconds`',
  }),
  KCO_STATUS_HEARTBEAT: wholeNumber(10, 86_400, 300, {
    unit: 's',
    meaning:
      'The longest time between two writes of a status in which nothing changed, where each poll is one row (`KCO_POLLS_PER_TURN=1`)',
  }),
  KCO_TEMPORAL_ADDRESS: textWith('127.0.0.1:7233', 'host:port without a scheme', hostAndPort, 'The Temporal frontend'),
  KCO_TEMPORAL_API_KEY: anyText('API key for Temporal; turns TLS on', { secret: true }),
  KCO_TEMPORAL_API_KEY_FILE: anyText(
    'File that holds the API key, instead of the key itself; read again while the operator runs, so it may be replaced',
    { limit: 'a file' },
  ),
  KCO_TEMPORAL_METRICS_PORT: port(
    0,
    'Loopback port on which the Temporal SDK serves its metrics, which `/metrics` passes on; `0` takes any free port',
  ),
  KCO_TEMPORAL_NAMESPACE: textWith(
    'default',
    'a Temporal namespace name',
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/,
    'The Temporal namespace, which has to exist',
  ),
  KCO_TEMPORAL_TASK_QUEUE: textWith(
    'kco',
    'at most 200 printable characters',
    /^[\x21-\x7e]{1,200}$/,
    'The task queue that the workers of this installation share for workflows and polls; actions, Events and statuses have theirs beside it, `<this>-actions`, `<this>-events` and `<this>-reports`',
  ),
  KCO_TEMPORAL_TLS_CA_FILE: anyText('PEM file with the certificates that the Temporal frontend is checked against', {
    limit: 'a file',
    fallback: "(the system's)",
  }),
  KCO_TEMPORAL_TLS_CERT_FILE: anyText('PEM file with the client certificate (mTLS)', { limit: 'a file' }),
  KCO_TEMPORAL_TLS_ENABLED: flag(
    'Whether to talk TLS to Temporal',
    '(`true` when an API key or another `KCO_TEMPORAL_TLS_` variable is set)',
  ),
  KCO_TEMPORAL_TLS_KEY_FILE: anyText('PEM file with the key of the client certificate', { limit: 'a file' }),
  KCO_TEMPORAL_TLS_SERVER_NAME: anyText(
    'The name expected in the certificate of the frontend, when it is not the host of the address',
  ),
  KCO_TEMPORAL_WEB_URL: text('an http(s) URL without credentials', isWebUrl).optional().register(variableFacts, {
    meaning: 'The Temporal Web UI as a browser reaches it; used for the links in status and templates',
    limit: 'an http(s) URL without credentials',
  }),
  KCO_TURN_LENGTH: wholeNumber(60, 86_400, 21_600, {
    unit: 's',
    meaning: 'How long polls in which nothing differs stay one row in the history of a workflow',
  }),
  KCO_WATCH_NAMESPACES: text(namespacesLimit, (value) => parts(value).every((name) => dnsLabel.test(name)))
    .transform(parts)
    .default([])
    .register(variableFacts, {
      meaning: 'The namespaces whose TargetApps are looked after',
      limit: namespacesLimit,
      fallback: '(all)',
    }),
  KUBECONFIG: anyText('Kubeconfig to use outside a cluster; several, separated by `:`, are merged as kubectl does', {
    fallback: '(`~/.kube/config`, then in-cluster)',
  }),
  POD_NAME: anyText('The name of this replica in Events and leases; the chart sets it from the pod', {
    fallback: '(host name)',
  }),
  POD_NAMESPACE: textWith(
    'default',
    'a namespace name',
    dnsLabel,
    'The namespace of this replica, where its Lease is; the chart sets it from the pod',
  ),
});

/** The environment after parsing: variable → typed value. */
export type Settings = z.output<typeof variables>;
export type VariableName = keyof Settings & string;

/** One row of the table of variables. */
export interface VariableRow extends VariableFacts {
  name: VariableName;
}

/** All variables in alphabetical order, for documentation and for messages. */
export const configurationTable = (): VariableRow[] =>
  Object.entries(variables.shape).map(([name, schema]) => {
    const facts = variableFacts.get(schema);
    if (facts === undefined) throw new TypeError(`the variable ${name} is not described`);
    return { name: name as VariableName, ...facts };
  });
