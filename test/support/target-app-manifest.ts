import type { SpecDefaults } from '../../src/api/target-app/compile-spec.ts';
import { compileSpec } from '../../src/api/target-app/compile-spec.ts';
import type { CompiledSpec } from '../../src/domain/target-app/compiled-spec.ts';

export const defaults: SpecDefaults = {
  intervalMs: 30_000,
  timeoutMs: 10_000,
  actionTimeoutMs: 300_000,
  retries: 3,
  queriesAtOnce: 64,
  heartbeatMs: 300_000,
  turnMs: 0,
  salt: 'test',
};

/** A query that selects some fields, a list, an alias and fields behind fragments. */
export const stateQuery = `query AppState {
  application { status health pendingTasks version: release ...Errors nodes { name status } settings }
  ... on Query { region }
}
fragment Errors on Application { lastError }`;

/** A spec that is fine, with some of it replaced; undefined takes a field away. */
export const spec = (replaced: Record<string, unknown> = {}): Record<string, unknown> =>
  JSON.parse(JSON.stringify({ selector: { matchLabels: { app: 'my-app' } }, stateQuery, ...replaced }));

/** A rule that is fine, with some of it replaced. */
export const rule = (replaced: Record<string, unknown> = {}): Record<string, unknown> => ({
  trigger: { field: 'application.health', condition: 'equals', value: 'unhealthy' },
  action: 'restart_pod',
  ...replaced,
});

export const planned = (of: unknown, generation = 1, more: Partial<SpecDefaults> = {}): CompiledSpec =>
  compileSpec(
    { metadata: { name: 'my-app', namespace: 'default', uid: 'u', generation }, spec: of },
    { ...defaults, ...more },
  ).plan;
