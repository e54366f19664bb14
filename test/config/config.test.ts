import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { configurationPage } from '../../dev/generate-docs.ts';
import { ConfigError, configurationTable, effectiveConfig, readConfig } from '../../src/config/config.ts';

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

const folder = mkdtempSync(join(tmpdir(), 'kco-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => {
  const path = join(folder, name);
  writeFileSync(path, 'pem');
  return path;
};

describe('an empty environment', () => {
  it('gives the documented defaults', () => {
    expect(readConfig({ POD_NAME: 'kco-0' })).toEqual({
      logLevel: 'INFO',
      identity: { operator: 'kco', pod: 'kco-0', namespace: 'default' },
      leaderElection: false,
      surface: { bindAddress: '0.0.0.0', healthPort: 8081, metricsPort: 8080 },
      kubernetes: { watchNamespaces: [] },
      temporal: { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'kco', metricsPort: 0 },
      worker: {
        maxCachedWorkflows: 200,
        slots: { actions: 100, events: 100, polls: 100, reports: 100 },
        shutdownGraceMs: 30_000,
      },
      observing: {
        defaultIntervalMs: 30_000,
        timeoutMs: 10_000,
        maxRetries: 3,
        maxConcurrentQueries: 64,
        maxConnectionAgeMs: 120_000,
        maxConnectionsPerHost: 64,
        maxRequestsPerHost: 500,
        maxResponseBytes: 1_048_576,
        maxStateBytes: 65_536,
        statusHeartbeatMs: 300_000,
        maxConcurrentPolls: 100,
        maxSubscriptions: 2_000,
        turnMs: 21_600_000,
      },
      actions: { enabled: ['restart_pod', 'scale_deployment', 'webhook'], timeoutMs: 300_000 },
      warnings: [],
    });
  });

  it('is what a ConfigMap of empty strings means too', () => {
    const empty = Object.fromEntries(configurationTable().map(({ name }) => [name, ' ']));
    expect(readConfig(empty)).toEqual(readConfig({}));
  });

  it.each(configurationTable().filter(({ fallback }) => fallback !== undefined && !fallback.startsWith('(')))(
    'documents the default that $name really has',
    ({ name, fallback }) => {
      expect(readConfig({ [name]: fallback, POD_NAME: 'x' })).toEqual(readConfig({ POD_NAME: 'x' }));
    },
  );
});

describe('a wrong setting', () => {
  it.each([
    [
      'KCO_LOG_LEVEL',
      'LOUD',
      'KCO_LOG_LEVEL="LOUD": must be one of DEBUG, INFO, WARNING, ERROR; correct it or unset it for the default INFO',
    ],
    [
      'KCO_GRAPHQL_TIMEOUT',
      '-1',
      'KCO_GRAPHQL_TIMEOUT="-1": must be a whole number from 1 to 3600 (s); correct it or unset it for the default 10',
    ],
    ['KCO_GRAPHQL_TIMEOUT', '2.5', 'a whole number from 1 to 3600'],
    ['KCO_GRAPHQL_TIMEOUT', '1e1', 'a whole number from 1 to 3600'],
    ['KCO_METRICS_PORT', '65536', 'a whole number from 0 to 65535'],
    ['KCO_ENABLED_ACTIONS', 'restart_pod,reboot', 'a comma-separated list of exec_command,'],
    [
      'KCO_PATCH_KINDS',
      'ConfigMap,deployments',
      'KCO_PATCH_KINDS="ConfigMap,deployments": must be a comma-separated list of `Kind` (of the core group) or `Kind.group`, such as `ConfigMap,Deployment.apps`; correct it or unset it for the default (whatever RBAC allows)',
    ],
    ['KCO_PATCH_KINDS', 'apps/Deployment', 'a comma-separated list of `Kind`'],
    ['KCO_PATCH_KINDS', ',', 'a comma-separated list of `Kind`'],
    ['KCO_WATCH_NAMESPACES', 'shop,Shop_2', 'a comma-separated list of namespace names'],
    ['KCO_TEMPORAL_ADDRESS', 'http://temporal:7233', 'host:port without a scheme'],
    ['KCO_TEMPORAL_WEB_URL', 'https://me:secret@temporal', 'an http(s) URL without credentials'],
    ['KCO_TEMPORAL_TLS_ENABLED', 'yes', '`true` or `false`'],
    ['KCO_BIND_ADDRESS', 'all', 'an IP address'],
    ['KCO_TEMPORAL_TLS_CA_FILE', '/does/not/exist', 'a file that this process can read'],
  ])('%s=%s is refused with its limit and the fix', (name, value, text) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).toContain(text);
  });

  it('does not hide the others: all are listed at once, one per line', () => {
    const problems = problemsOf({
      KCO_LOG_LEVEL: 'LOUD',
      KCO_GRAPHQL_MAX_RETRIES: 'many',
      KCO_HEALTH_PORT: '9000',
      KCO_METRICS_PORT: '9000',
      KCO_TEMPORAL_TLS_CERT_FILE: '/does/not/exist',
    });
    expect(problems.map((problem) => problem.split(/[=:]/)[0])).toEqual([
      'KCO_GRAPHQL_MAX_RETRIES',
      'KCO_LOG_LEVEL',
      'KCO_TEMPORAL_TLS_CERT_FILE',
      'KCO_HEALTH_PORT',
      'KCO_TEMPORAL_TLS_CERT_FILE',
    ]);
    expect(problems.every((problem) => !problem.includes('\n'))).toBe(true);
    expect(new ConfigError(problems).message).toBe(`5 wrong settings:\n${problems.join('\n')}`);
  });

  it.each([
    [
      { KCO_GRAPHQL_TIMEOUT: '60' },
      'KCO_GRAPHQL_TIMEOUT="60", KCO_DEFAULT_POLLING_INTERVAL is 30 by default: a query may not',
    ],
    [{ KCO_HEALTH_PORT: '8080' }, 'KCO_HEALTH_PORT="8080", KCO_METRICS_PORT is 8080 by default: two servers'],
    [{ KCO_MAX_RESPONSE_BYTES: '2048' }, 'KCO_MAX_STATE_BYTES is 65536 by default: a state cannot'],
    [{ KCO_TEMPORAL_TLS_KEY_FILE: file('key.pem') }, 'a client certificate needs its key'],
    [{ KCO_TEMPORAL_API_KEY: 'k', KCO_TEMPORAL_API_KEY_FILE: file('key') }, 'only one of them'],
    [{ KCO_TEMPORAL_API_KEY: 'k', KCO_TEMPORAL_TLS_ENABLED: 'false' }, 'not sent in plain text'],
    [{ KCO_TEMPORAL_TLS_SERVER_NAME: 't', KCO_TEMPORAL_TLS_ENABLED: 'false' }, 'has no effect without TLS'],
  ])('is also one that only does not go with another: %j', (env, text) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(text);
  });

  it('of the same free port for both servers is none', () => {
    expect(readConfig({ KCO_HEALTH_PORT: '0', KCO_METRICS_PORT: '0' }).surface).toMatchObject({
      healthPort: 0,
      metricsPort: 0,
    });
  });
});

describe('lists and switches', () => {
  it.each([
    ['none', []],
    ['webhook, exec_command,webhook', ['webhook', 'exec_command']],
  ])('KCO_ENABLED_ACTIONS=%s enables %j', (value, enabled) => {
    expect(readConfig({ KCO_ENABLED_ACTIONS: value }).actions.enabled).toEqual(enabled);
  });

  it('namespaces are trimmed and told once', () => {
    expect(readConfig({ KCO_WATCH_NAMESPACES: 'a, b,a,' }).kubernetes.watchNamespaces).toEqual(['a', 'b']);
  });

  it.each([
    ['', undefined],
    ['ConfigMap, Deployment.apps,ConfigMap', ['ConfigMap', 'Deployment.apps']],
    ['Certificate.cert-manager.io', ['Certificate.cert-manager.io']],
  ])('KCO_PATCH_KINDS=%s allows %j, where none is no limit of ours', (value, kinds) => {
    expect(readConfig({ KCO_PATCH_KINDS: value }).actions.patchKinds).toEqual(kinds);
  });

  it.each([
    [{ KCO_TEMPORAL_API_KEY: 'k' }, true],
    [{ KCO_TEMPORAL_TLS_SERVER_NAME: 'temporal' }, true],
    [{ KCO_TEMPORAL_TLS_ENABLED: 'true' }, true],
    [{ KCO_TEMPORAL_TLS_ENABLED: 'false' }, false],
    [{}, false],
  ])('%j makes TLS %s', (env, tls) => {
    expect(readConfig(env).temporal.tls !== undefined).toBe(tls);
  });
});

describe('a variable that is not ours', () => {
  it('is warned about with a guess when it looks like a typo', () => {
    expect(readConfig({ KCO_METRIC_PORT: '1', KCO_COLOUR: 'red', PATH: '/bin' }).warnings).toEqual([
      'KCO_COLOUR is not a setting of KCO and has no effect',
      'KCO_METRIC_PORT is not a setting of KCO and has no effect; did you mean KCO_METRICS_PORT?',
    ]);
  });

  it('is named beside what is wrong, because it may be the wrong name of that', () => {
    expect(() => readConfig({ KCO_METRIC_PORT: '1', KCO_METRICS_PORT: 'x' })).toThrow(
      /KCO_METRICS_PORT.*\n.*did you mean/,
    );
  });

  it('is passed over when Kubernetes set it for a Service, even under the name of a setting', () => {
    const config = readConfig({
      KCO_METRICS_PORT: 'tcp://10.0.0.1:8080',
      KCO_METRICS_SERVICE_HOST: '10.0.0.1',
      KCO_METRICS_SERVICE_PORT: '8080',
      KCO_METRICS_PORT_8080_TCP_ADDR: '10.0.0.1',
    });
    expect(config.warnings).toEqual([]);
    expect(config.surface.metricsPort).toBe(8080);
  });
});

describe('secrets', () => {
  const canary = 'canary-5f1c';
  const secret = configurationTable().filter((row) => row.secret);

  it('exist in the table, so that the next tests mean something', () => {
    expect(secret.map(({ name }) => name)).toContain('KCO_TEMPORAL_API_KEY');
  });

  it('are not in the effective configuration', () => {
    const env = Object.fromEntries(secret.map(({ name }) => [name, canary]));
    expect(JSON.stringify(readConfig(env))).toContain(canary);
    expect(JSON.stringify(effectiveConfig(readConfig(env)))).not.toContain(canary);
  });

  it('are not in the errors about them', () => {
    const env = Object.fromEntries(secret.map(({ name }) => [name, canary]));
    const problems = problemsOf({ ...env, KCO_TEMPORAL_TLS_ENABLED: 'false' });
    expect(problems.join()).toContain('KCO_TEMPORAL_API_KEY (hidden)');
    expect(problems.join()).not.toContain(canary);
  });
});

describe('a password in a URL', () => {
  it('is not shown by the error that refuses it', () => {
    const problems = problemsOf({ KCO_TEMPORAL_WEB_URL: 'https://me:hunter2@temporal' });
    expect(problems.join()).toContain('https://(hidden)@temporal');
    expect(problems.join()).not.toContain('hunter2');
  });
});

describe('the table of variables', () => {
  it('is in alphabetical order and complete', () => {
    const names = configurationTable().map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(configurationTable().every(({ meaning, limit }) => meaning !== '' && limit !== '')).toBe(true);
  });
});

describe('docs/configuration.md', () => {
  it('is what the schema says', () => {
    expect(readFileSync('docs/configuration.md', 'utf8')).toBe(configurationPage());
  });
});
