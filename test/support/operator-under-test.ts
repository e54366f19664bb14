import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readConfig } from '../../src/config/config.ts';
import { startOperator } from '../../src/operator.ts';
import { createLog } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics/index.ts';
import { createRedactor } from '../../src/telemetry/redactor.ts';
import { freeLoopbackPort } from '../../src/telemetry/sdk-metrics.ts';
import { installRuntime } from '../../src/worker/worker.ts';
import { until } from './until.ts';

/** A running operator as its surroundings see it. */
export interface OperatorUnderTest {
  /** The lines of its log, oldest first. */
  lines: string[];
  /** GET on the health port. */
  ask(path: '/healthz' | '/readyz' | '/stats'): Promise<{ status: number; body: Record<string, unknown> }>;
  metrics(): Promise<string>;
  /** Resolves when `/readyz` says so. */
  ready(): Promise<void>;
}

/** An operator in this process: its code counts as covered. */
export interface OperatorInside extends OperatorUnderTest {
  stop(): Promise<void>;
}

/** An operator as a process of its own, which can be killed. */
export interface OperatorProcess extends OperatorUnderTest {
  pid: number;
  /** Sends a signal and does not wait. */
  send(signal: NodeJS.Signals): void;
  /** Sends a signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

type Settings = Record<string, string>;

const root = join(import.meta.dirname, '..', '..');
/** Ports that nobody else has, and an end that nothing has to wait for. */
const local: Settings = {
  KCO_BIND_ADDRESS: '127.0.0.1',
  KCO_HEALTH_PORT: '0',
  KCO_METRICS_PORT: '0',
  KCO_LOG_LEVEL: 'DEBUG',
  KCO_SHUTDOWN_GRACE: '5',
};

interface Ports {
  healthPort: number;
  metricsPort: number;
}

function surfaceOf(lines: string[], { healthPort, metricsPort }: Ports): OperatorUnderTest {
  const ask: OperatorUnderTest['ask'] = async (path) => {
    const response = await fetch(`http://127.0.0.1:${healthPort}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const isReady = async () => (await ask('/readyz')).status === 200;
  return {
    lines,
    ask,
    metrics: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    ready: async () =>
      void (await until('the operator is ready', isReady, { timeoutMs: 120_000, instead: () => ask('/readyz') })),
  };
}

/** Starts an operator in this process and waits until it is ready. At most one at a time: the SDK has one runtime. */
export async function operatorInside(settings: Settings): Promise<OperatorInside> {
  const config = readConfig({ ...local, ...settings });
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const redactor = createRedactor();
  const log = createLog({ level: config.logLevel, operator: config.identity.operator, destination, redactor });
  const { metricsUrl } = installRuntime(log, await freeLoopbackPort());
  const metrics = createMetrics({ version: 'test', temporalUrl: metricsUrl });
  const operator = await startOperator({ config, log, metrics, redact: redactor.redact, version: 'test' });
  const surface = surfaceOf(lines, operator.surface);
  await surface.ready();
  let stopped: Promise<void> | undefined;
  return {
    ...surface,
    stop: () => {
      stopped ??= operator.stop();
      return stopped;
    },
  };
}

/** The ports that a process says it listens on. */
async function portsIn(lines: string[], child: ChildProcess): Promise<Ports> {
  const line = await until(
    'the operator process listens',
    () => {
      if (child.exitCode !== null) throw new Error(`the operator ended with ${child.exitCode}: ${lines.join('\n')}`);
      return lines.find((each) => each.includes('"listening"'));
    },
    { timeoutMs: 120_000, instead: () => lines },
  );
  const { health_port: healthPort, metrics_port: metricsPort } = JSON.parse(line);
  return { healthPort, metricsPort };
}

/** Linux only: the kernel then ends an operator whose test was killed before it could. */
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** How `npm start` and the image run Node. */
const asByStart = ['--max-semi-space-size=8', '--heap-growing-percent=20'];

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts an operator process, of this repository or of a copy of it; it listens, but need not be ready yet. */
export async function operatorProcess(settings: Settings, repository = root): Promise<OperatorProcess> {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE, MALLOC_ARENA_MAX: '2', ...local, ...settings };
  const main = [process.execPath, '--no-warnings', ...asByStart, join('src', 'main.ts')];
  const [file = '', ...args] = setpriv === undefined ? main : [setpriv, '--pdeathsig', 'KILL', '--', ...main];
  const child = spawn(file, args, { cwd: repository, env });
  alive.add(child);
  const ended = once(child, 'exit').then(([code, signal]) => {
    alive.delete(child);
    return { code, signal } as { code: number | null; signal: NodeJS.Signals | null };
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  return {
    ...surfaceOf(lines, await portsIn(lines, child)),
    // That of the operator: what runs before it is replaced by it.
    pid: child.pid ?? 0,
    send: (signal) => void child.kill(signal),
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
