import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { diff } from '../../../src/activities/target-app/diff.ts';
import type { JsonObject } from '../../../src/domain/json.ts';
import { createFakeActivities, health, planWith, restartRule } from '../../support/fake-activities.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

describe('a turn', () => {
  it('keeps what an action notes while two states are compared', async () => {
    const fakes = createFakeActivities(planWith({ rules: [restartRule()] }));
    fakes.says(health('unhealthy'));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    let comparisons = 0;
    const hasEnded = () => fakes.counted.includes('ended restart_pod succeeded');
    // What happens beside a local activity reaches its workflow when that has been tried for some eight seconds.
    fakes.activities.diff = async (...states) => {
      comparisons += 1;
      if (!hasEnded()) throw ApplicationFailure.create({ message: 'not yet', nextRetryDelay: '500 ms' });
      return diff(...states);
    };
    const execution = await env.start(fakes);
    await until('it acts', () => fakes.all('begin').length > 0);
    fakes.says(health('degraded'));
    await until('it compares', () => comparisons > 0);
    expect(hasEnded()).toBe(false);
    gate.resolve(undefined);
    const shown = () => (fakes.all('status').at(-1)?.status['rules'] as JsonObject[] | undefined)?.[0];
    await until('the status shows what was decided', () => !shown()?.['activeSince'], { timeoutMs: 180_000 });
    expect(shown()).toMatchObject({ lastOutcome: { status: 'succeeded' } });
    await execution.end();
    expect(fakes.reasons()).toContain('StateChanged');
    expect(fakes.reasons().filter((reason) => reason === 'ActionSucceeded')).toHaveLength(1);
  });
});
