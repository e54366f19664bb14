import { join } from 'node:path';
import { freePorts } from '../servers/ports.ts';
import type { RunningServer, Servers } from '../servers/start-servers.ts';

/** The operator, run from source. */
export interface OperatorProcess {
  healthUrl: string;
  metricsUrl: string;
  logFile: string;
  /** Throws `ServerFailed` when it has ended by itself. */
  assertRunning: RunningServer['assertRunning'];
  /** Asks it to stop as Kubernetes would, and waits. */
  stop(): Promise<void>;
}

const stopGraceMs = 5_000;

/** Starts the operator beside its servers and waits until it is ready. Throws `ServerFailed`. */
export async function startOperatorProcess(servers: Servers): Promise<OperatorProcess> {
  const { kubernetes, temporal, stateDir } = servers;
  const [health = 0, metrics = 0] = await freePorts(2);
  const env = {
    KUBECONFIG: kubernetes.kubeconfig,
    KCO_TEMPORAL_ADDRESS: temporal.address,
    KCO_TEMPORAL_WEB_URL: temporal.uiUrl ?? '',
    KCO_ENABLED_ACTIONS: 'exec_command,patch_resource,restart_pod,scale_deployment,webhook',
    KCO_BIND_ADDRESS: '127.0.0.1',
    KCO_HEALTH_PORT: health,
    KCO_METRICS_PORT: metrics,
    KCO_SHUTDOWN_GRACE: 3,
  };
  const healthUrl = `http://127.0.0.1:${health}`;
  const logFile = join(stateDir, 'operator.log');
  const { assertRunning, end } = await servers.run({
    name: 'the operator',
    file: '/usr/bin/env',
    args: [...Object.entries(env).map(([key, value]) => `${key}=${value}`), process.execPath, 'src/main.ts'],
    cwd: join(import.meta.dirname, '..', '..'),
    logFile,
    isReady: async () => (await fetch(`${healthUrl}/readyz`)).ok,
  });
  const metricsUrl = `http://127.0.0.1:${metrics}/metrics`;
  return { healthUrl, metricsUrl, logFile, assertRunning, stop: () => end(stopGraceMs) };
}
