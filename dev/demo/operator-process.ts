import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '../servers/ports.ts';
import { createProcessSupervisor } from '../servers/process-supervisor.ts';
import { logTail } from '../servers/server-process.ts';

/** The operator, run from source. */
export interface OperatorProcess {
  pid: number;
  healthUrl: string;
  metricsUrl: string;
  logFile: string;
  /** How it ended by itself, if it did: a sentence with the end of its log. */
  ended(): Promise<string | undefined>;
  /** Asks it to stop as Kubernetes would, and waits. */
  stop(): Promise<void>;
}

/** What the operator is told. */
export interface OperatorSetting {
  kubeconfig: string;
  temporalAddress: string;
  webUrl: string | undefined;
  logFile: string;
}

const root = join(import.meta.dirname, '..', '..');
const name = 'operator';
const readyWithinMs = 60_000;
const stopGraceMs = 5_000;

/** The operator did not start; the message has the end of its log. */
export class OperatorFailed extends Error {
  override readonly name = 'OperatorFailed';
}

const readiness = async (url: string): Promise<{ ok: boolean; body: string }> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    async (response) => ({ ok: response.ok, body: await response.text() }),
    () => ({ ok: false, body: 'no answer' }),
  );

/**
 * Starts the operator and waits until it is ready. It belongs to a supervisor, so it ends with this process, however that
 * one ends. Throws {@link OperatorFailed}.
 */
export async function startOperatorProcess(setting: OperatorSetting): Promise<OperatorProcess> {
  const { kubeconfig, temporalAddress, webUrl, logFile } = setting;
  const [health = 0, metrics = 0] = await freePorts(2);
  const supervisor = createProcessSupervisor();
  const env = {
    KUBECONFIG: kubeconfig,
    KCO_TEMPORAL_ADDRESS: temporalAddress,
    KCO_TEMPORAL_WEB_URL: webUrl ?? '',
    KCO_ENABLED_ACTIONS: 'exec_command,patch_resource,restart_pod,scale_deployment,webhook',
    KCO_BIND_ADDRESS: '127.0.0.1',
    KCO_HEALTH_PORT: String(health),
    KCO_METRICS_PORT: String(metrics),
    KCO_SHUTDOWN_GRACE: '3',
  };
  const assignments = Object.entries(env).map(([key, value]) => `${key}=${value}`);
  const args = [...assignments, process.execPath, 'src/main.ts'];
  const pid = await supervisor.run({ name, file: '/usr/bin/env', args, cwd: root, logFile });
  const ended = async (): Promise<string | undefined> => {
    const exit = supervisor.exitOf(name);
    if (exit === undefined) return undefined;
    return `the operator has ended (${exit.signal ?? `exit code ${exit.code}`}); the end of ${logFile}:\n${await logTail(logFile)}`;
  };
  const stop = async (): Promise<void> => {
    await supervisor.end(name, stopGraceMs);
    await supervisor.close(0);
  };
  const healthUrl = `http://127.0.0.1:${health}`;
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const { ok, body } = await readiness(`${healthUrl}/readyz`);
    if (ok) return { pid, healthUrl, metricsUrl: `http://127.0.0.1:${metrics}/metrics`, logFile, ended, stop };
    const why = (await ended()) ?? (Date.now() > deadline ? `the operator is not ready: ${body}` : undefined);
    if (why !== undefined) {
      await supervisor.close(0);
      throw new OperatorFailed(why);
    }
    await delay(100);
  }
}
