import { Hono } from 'hono';
import type { Json } from '../domain/json.ts';
import { answer, json } from './answers.ts';
import type { CheckResult, Checks } from './checks.ts';
import { startHttpServer } from './http-server.ts';

/** What the two servers serve. */
export interface ProbeServerOptions {
  /** From the configuration; port 0 takes any free one. */
  config: { bindAddress: string; healthPort: number; metricsPort: number };
  /** All metrics in Prometheus' text format 0.0.4. */
  metricsText(): Promise<string>;
  /** Failing means that only a restart helps. */
  health: Checks;
  /** Failing means that work is not being done at the moment; degraded, that some of it is not. */
  readiness: Checks;
  /** Numbers for people: what the process is busy with. */
  stats(): Json;
}

/** The running servers. */
export interface ProbeServer {
  /** The ports that were taken. */
  healthPort: number;
  metricsPort: number;
  /** Stops both; answers that are under way have a moment to end. */
  close(): Promise<void>;
}

const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

const looked = (check: () => CheckResult): CheckResult => {
  try {
    return check();
  } catch (error) {
    return { ok: false, message: `the check itself failed: ${error instanceof Error ? error.name : 'unknown error'}` };
  }
};

const checked = (checks: Checks): Response => {
  const results = Object.entries(checks).map(([name, check]) => [name, looked(check)] as const);
  const failing = results.filter(([, { ok }]) => !ok).map(([name]) => name);
  const degraded = results.filter(([, { ok, degraded }]) => ok && degraded).map(([name]) => name);
  const status = failing.length > 0 ? 'failing' : degraded.length > 0 ? 'degraded' : 'ok';
  return json(failing.length === 0 ? 200 : 503, { status, failing, degraded, checks: Object.fromEntries(results) });
};

/** Serves health, readiness and statistics on one port and metrics on the other. Rejects with `ListenError` when a port is taken. */
export async function startProbeServer({
  config: { bindAddress, healthPort, metricsPort },
  metricsText,
  health,
  readiness,
  stats,
}: ProbeServerOptions): Promise<ProbeServer> {
  const probes = new Hono()
    .get('/healthz', () => checked(health))
    .get('/readyz', () => checked(readiness))
    .get('/stats', () => json(200, stats()));
  const scrapes = new Hono().get('/metrics', async () => answer(200, metricsType, await metricsText()));
  const first = await startHttpServer({ routes: probes, bindAddress, port: healthPort, variable: 'KCO_HEALTH_PORT' });
  try {
    const variable = 'KCO_METRICS_PORT';
    const second = await startHttpServer({ routes: scrapes, bindAddress, port: metricsPort, variable });
    return {
      healthPort: first.port,
      metricsPort: second.port,
      close: async () => void (await Promise.all([first.close(), second.close()])),
    };
  } catch (error) {
    await first.close();
    throw error;
  }
}
