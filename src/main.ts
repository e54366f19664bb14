import { readFileSync } from 'node:fs';
import { KubeconfigError } from './clients/kubernetes/client.ts';
import { apiKeyOf } from './clients/temporal/connection.ts';
import { type Config, ConfigError, effectiveConfig, readConfig } from './config/config.ts';
import { startOperator } from './operator.ts';
import { createLog } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics/index.ts';
import { createRedactor } from './telemetry/redactor.ts';
import { freeLoopbackPort } from './telemetry/sdk-metrics.ts';
import { installRuntime } from './worker/worker.ts';

const versionOf = (): string => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
};

/** The configuration, or the end: a process that is set up wrong says all that is wrong and does nothing. */
function configuration(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** Runs until a signal asks to stop (exit 0), or the worker fails for good (exit 1). */
async function main(): Promise<void> {
  const settings = configuration();
  const version = versionOf();
  const redactor = createRedactor();
  // A key that replaces the one in the file later is a secret from its first use, too.
  const temporal = { ...settings.temporal, onApiKey: redactor.add };
  const config = { ...settings, temporal };
  apiKeyOf(temporal)(); // tells it before the first line of the log
  const log = createLog({ level: config.logLevel, operator: config.identity.operator, redactor });
  for (const warning of config.warnings) log.warning('unknown setting', { setting: warning });
  log.info('starting', { version, config: effectiveConfig(settings) });
  const { metricsUrl } = installRuntime(log, config.temporal.metricsPort || (await freeLoopbackPort()));
  const metrics = createMetrics({ version, temporalUrl: metricsUrl });
  const operator = await startOperator({ config, log, metrics, redact: redactor.redact, version });
  log.info('listening', { health_port: operator.surface.healthPort, metrics_port: operator.surface.metricsPort });
  const signal = await Promise.race([operator.failed, asked()]);
  log.info('stopping', { signal });
  await operator.stop();
  log.info('stopped');
  process.exit(0);
}

/** Resolves with the first signal that asks to stop. */
const asked = (): Promise<string> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });

main().catch((error: unknown) => {
  // Set up wrong, as a wrong setting is.
  if (error instanceof KubeconfigError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
