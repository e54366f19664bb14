import type { DestinationStream, LevelWithSilent } from 'pino';
import { pino, destination as pinoDestination } from 'pino';
import type { Json } from '../domain/json.ts';
import { createRedactor, type Redactor } from './redactor.ts';

/** The words for severity, in `KCO_LOG_LEVEL` and in every line. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** The columns that every line has; null where they do not apply. */
export const logKeys = [
  'timestamp',
  'level',
  'operator',
  'namespace',
  'tapp',
  'action',
  'old_state',
  'new_state',
  'correlation_id',
  'msg',
] as const;

/**
 * What a line is about. Beside the columns any fact may be named in snake_case; an error goes under `error`.
 * Messages are constants, facts are fields.
 */
export interface LogFacts {
  namespace?: string;
  /** Name of the TargetApp. */
  tapp?: string;
  /** The YAML word of an action. */
  action?: string;
  old_state?: Json;
  new_state?: Json;
  /** Workflow run and episode, see `correlationId`. */
  correlation_id?: string;
  error?: unknown;
  [fact: string]: unknown;
}

/** Writes JSON lines. */
export interface Log {
  debug(message: string, facts?: LogFacts): void;
  info(message: string, facts?: LogFacts): void;
  warning(message: string, facts?: LogFacts): void;
  error(message: string, facts?: LogFacts): void;
  /** The same log, with facts that every line of it carries. */
  with(facts: LogFacts): Log;
}

/** What a log is made of. */
export interface LogOptions {
  level: LogLevel;
  /** Name of the installation. */
  operator: string;
  /** Where lines go; standard output unless told. */
  destination?: DestinationStream;
  /** Shared with whatever else writes for people, so that a secret is known once for all. */
  redactor?: Redactor;
}

/** One word for one story: the workflow run, and within it the episode. */
export const correlationId = (runId: string, episode?: string | number): string =>
  episode === undefined ? runId : `${runId}/${episode}`;

const pinoLevels = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const satisfies Record<
  LogLevel,
  LevelWithSilent
>;
const words: Record<string, LogLevel> = {
  trace: 'DEBUG',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'ERROR',
};

const columns = { namespace: null, tapp: null, action: null, old_state: null, new_state: null, correlation_id: null };

/** What the log itself says and no fact may: a second key of that name would make the line ambiguous. */
const own = new Set(['timestamp', 'level', 'operator', 'msg']);

/** A fact that is not known leaves the column as it is. */
const known = (facts: LogFacts = {}): LogFacts =>
  Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined));

const withoutOwn = (facts: LogFacts): LogFacts =>
  Object.fromEntries(Object.entries(facts).map(([name, fact]) => [own.has(name) ? `fact_${name}` : name, fact]));

/** Creates the log of a process. Lines are written synchronously: the last one before a crash is the one that is needed. */
export const createLog = ({ level, operator, destination, redactor = createRedactor() }: LogOptions): Log => {
  const lines = pino(
    {
      level: pinoLevels[level],
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: words[label] ?? 'INFO' }) },
    },
    destination ?? pinoDestination({ fd: 1, sync: true }),
  );
  const logWith = (bound: LogFacts): Log => {
    const write = (word: LogLevel) => (message: string, facts?: LogFacts) => {
      const name = pinoLevels[word];
      if (!lines.isLevelEnabled(name)) return;
      const line = redactor.value({ ...columns, ...known(bound), ...known(facts) });
      lines[name]({ operator, ...withoutOwn(line as LogFacts) }, redactor.text(message));
    };
    return {
      debug: write('DEBUG'),
      info: write('INFO'),
      warning: write('WARNING'),
      error: write('ERROR'),
      with: (facts) => logWith({ ...bound, ...facts }),
    };
  };
  return logWith({});
};

/** The words of Temporal's SDK for severity. */
type TemporalLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
type TemporalFacts = Record<string | symbol, unknown>;

/** The shape of the SDK's `Logger`; said here so that a log does not load a worker. */
export interface TemporalLogger {
  log(level: TemporalLevel, message: string, meta?: TemporalFacts): void;
  trace(message: string, meta?: TemporalFacts): void;
  debug(message: string, meta?: TemporalFacts): void;
  info(message: string, meta?: TemporalFacts): void;
  warn(message: string, meta?: TemporalFacts): void;
  error(message: string, meta?: TemporalFacts): void;
}

const snakeCase = (name: string) => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** What the log calls the object of a workflow: its namespace and name, under the column of its kind; nothing for another's. */
export type NamesOfWorkflow = (workflowId: string) => LogFacts;

/** The SDK's `namespace` is Temporal's, ours is Kubernetes'; which object a workflow belongs to stands in its id. */
const factsOf = (meta: TemporalFacts = {}, namesOf: NamesOfWorkflow): LogFacts => {
  const { namespace, ...rest } = meta;
  const facts: LogFacts = Object.fromEntries(Object.entries(rest).map(([name, fact]) => [snakeCase(name), fact]));
  if (namespace !== undefined) facts['temporal_namespace'] = namespace;
  Object.assign(facts, namesOf(String(meta['workflowId'] ?? '')));
  if (typeof meta['runId'] === 'string') facts.correlation_id = correlationId(meta['runId']);
  return facts;
};

/** Sends what Temporal's SDK logs through our log, in our columns. For `Runtime.install({ logger })`. */
export const temporalLogger = (log: Log, namesOf: NamesOfWorkflow): TemporalLogger => {
  const at = (write: (message: string, facts: LogFacts) => void) => (message: string, meta?: TemporalFacts) =>
    write(message, factsOf(meta, namesOf));
  const levels = {
    TRACE: at(log.debug),
    DEBUG: at(log.debug),
    INFO: at(log.info),
    WARN: at(log.warning),
    ERROR: at(log.error),
  };
  return {
    log: (level, message, meta) => levels[level](message, meta),
    trace: levels.TRACE,
    debug: levels.DEBUG,
    info: levels.INFO,
    warn: levels.WARN,
    error: levels.ERROR,
  };
};
