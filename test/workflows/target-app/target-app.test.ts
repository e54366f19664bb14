import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { diff } from '../../../src/activities/target-app/diff.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';
import { createWorld, health, planWith, restartRule } from '../../support/world.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

describe('a turn', () => {
  it('keeps what an action notes while two states are compared', async () => {
    const world = createWorld(planWith({ rules: [restartRule()] }));
    world.says(health('unhealthy'));
    const gate = Promise.withResolvers<undefined>();
    world.faults.action = () => gate.promise;
    let comparisons = 0;
    const hasEnded = () => world.counted.includes('ended restart_pod succeeded');
    // What happens beside a local activity reaches its workflow when that has been tried for some eight seconds.
    world.activities.diff = async (...states) => {
      comparisons += 1;
      if (!hasEnded()) throw ApplicationFailure.create({ message: 'not yet', nextRetryDelay: '500 ms' });
      return diff(...states);
    };
    const life = await env.live(world);
    await until('it acts', () => world.all('begin').length > 0);
    world.says(health('degraded'));
    await until('it compares', () => comparisons > 0);
    expect(hasEnded()).toBe(false);
    gate.resolve(undefined);
    const shown = () => (world.all('status').at(-1)?.status['rules'] as JsonObject[] | undefined)?.[0];
    await until('the status shows what was decided', () => !shown()?.['activeSince'], { timeoutMs: 180_000 });
    expect(shown()).toMatchObject({ lastOutcome: { status: 'succeeded' } });
    await life.end();
    expect(world.reasons()).toContain('StateChanged');
    expect(world.reasons().filter((reason) => reason === 'ActionSucceeded')).toHaveLength(1);
  });
});
