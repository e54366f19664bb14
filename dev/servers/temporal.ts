import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerProcess } from './server-process.ts';

/** How a Temporal dev server may be. */
export interface TemporalOptions {
  /** No Web UI; default false. */
  headless?: boolean;
  /** Custom search attributes and their types, e.g. `{ KcoKind: 'Keyword' }`. */
  searchAttributes?: Record<string, string>;
  /** Temporal's dynamic configuration, e.g. `{ 'limit.maxIDLength': 200 }`. */
  dynamicConfig?: Record<string, unknown>;
}

/** What a Temporal dev server is made from. */
export interface TemporalPlan extends TemporalOptions {
  directory: string;
  logDir: string;
  binary: string;
  ports: { frontend: number; ui: number; http: number; metrics: number };
}

/** Where a Temporal server is. */
export interface TemporalAccess {
  /** host:port of the gRPC frontend. */
  address: string;
  namespace: string;
  /** Absent when headless. */
  uiUrl: string | undefined;
  /** Prometheus metrics of the server. */
  metricsUrl: string;
}

/** A planned Temporal dev server. */
export interface TemporalDevServer {
  server: ServerProcess;
  access: TemporalAccess;
  /** Removes the database. The server must not run. */
  deleteDatabase(): Promise<void>;
}

const namespace = 'default';

function temporalArgs(plan: TemporalPlan, database: string): string[] {
  const { ports } = plan;
  return [
    'server',
    'start-dev',
    ...['--db-filename', database],
    // Without these two a workflow task waits for the disk: 1,001 ms instead of 37 ms under load.
    ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ...['--ip', '127.0.0.1', '--port', String(ports.frontend)],
    ...['--http-port', String(ports.http), '--metrics-port', String(ports.metrics)],
    ...(plan.headless ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(ports.ui)]),
    ...Object.entries(plan.searchAttributes ?? {}).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...Object.entries(plan.dynamicConfig ?? {}).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
    // What the user has configured for a server elsewhere is not meant for this one.
    ...['--disable-config-file', '--disable-config-env', '--color', 'never'],
  ];
}

/** Says how to run a Temporal dev server. Starts nothing. */
export function planTemporal(plan: TemporalPlan): TemporalDevServer {
  const database = join(plan.directory, 'temporal.db');
  // The frontend's own HTTP gateway: listing workflows needs frontend, visibility and the namespace, all three.
  const probe = `http://127.0.0.1:${plan.ports.http}/api/v1/namespaces/${namespace}/workflows?pageSize=1`;
  return {
    server: {
      name: 'temporal',
      file: plan.binary,
      args: temporalArgs(plan, database),
      cwd: plan.directory,
      logFile: join(plan.logDir, 'temporal.log'),
      isReady: async () => (await fetch(probe)).ok,
    },
    access: {
      address: `127.0.0.1:${plan.ports.frontend}`,
      namespace,
      uiUrl: plan.headless ? undefined : `http://127.0.0.1:${plan.ports.ui}`,
      metricsUrl: `http://127.0.0.1:${plan.ports.metrics}/metrics`,
    },
    async deleteDatabase() {
      await Promise.all(['', '-wal', '-shm'].map((suffix) => rm(`${database}${suffix}`, { force: true })));
    },
  };
}
