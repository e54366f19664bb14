import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { CompiledSpec } from '../../../src/domain/target-app/compiled-spec.ts';
import { pollNow, resourceChanged, resume, suspend } from '../../../src/workflows/messages.ts';
import { createFakeActivities, health, planWith, restartRule } from '../../support/fake-activities.ts';
import { until } from '../../support/until.ts';
import { type Execution, errorsLogged, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** A plan whose polls are held by turns. */
const byTurns = (replaced: Partial<CompiledSpec> = {}) => planWith({ intervalMs: 250, turnMs: 3_600_000, ...replaced });

const looks = ({ fakes }: Execution) => fakes.all('look').length;
const polledAgain = async (execution: Execution, times = 3): Promise<void> => {
  const before = looks(execution);
  await until(`it polls ${times} times more`, () => looks(execution) >= before + times);
};
const length = async ({ history }: Execution): Promise<number> => (await history()).events?.length ?? 0;
/** Waits until nothing more comes into the history. */
const settled = (execution: Execution): Promise<number> => {
  let before = -1;
  return until('the history is settled', async () => {
    await polledAgain(execution, 2);
    const now = await length(execution);
    const isSame = now === before;
    before = now;
    return isSame && now;
  });
};

describe('polls that are held by a turn', () => {
  it('leave nothing in the history while nothing differs, and tell what does at once', async () => {
    const fakes = createFakeActivities(byTurns({ rules: [restartRule()] }));
    const execution = await env.start(fakes);
    await until('it polls', () => looks(execution) > 2);
    const before = await settled(execution);
    await polledAgain(execution, 8);
    expect(await length(execution)).toBe(before);
    fakes.says(health('unhealthy'));
    await until('it acts', () => fakes.all('end').length === 1);
    await until('it tells', () => fakes.reasons().includes('ActionSucceeded'));
    await settled(execution);
    expect(fakes.all('begin')).toHaveLength(1);
    await execution.end();
  });

  it('end when time alone changes a verdict', async () => {
    const fakes = createFakeActivities(byTurns({ rules: [restartRule({ forMs: 2_000 })] }));
    const execution = await env.start(fakes);
    await until('it polls', () => looks(execution) > 2);
    fakes.says(health('unhealthy'));
    const [fired] = await until('it acts', () => fakes.all('begin').length > 0 && fakes.all('begin'));
    const seen = fakes
      .all('look')
      .find(({ told }) => told.readings?.some(({ name }) => name !== '') && told.plan === undefined);
    const heldMs = (fired?.at ?? 0) - (seen?.at ?? 0);
    expect(heldMs).toBeGreaterThanOrEqual(2_000);
    expect(heldMs).toBeLessThan(4_000);
    await execution.end();
  });

  it('are logged and begin anew after a pause where what they tell cannot be taken', async () => {
    const fakes = createFakeActivities(byTurns());
    const { observe } = fakes.activities;
    const execution = await env.start(fakes);
    await until('it polls', () => looks(execution) > 2);
    let failures = 0;
    fakes.activities.observe = async () => {
      failures += 1;
      throw ApplicationFailure.nonRetryable('it is too large');
    };
    fakes.says(health('unhealthy'));
    await execution.handle.signal(resourceChanged);
    await until('it fails', () => failures > 0);
    // Nothing tells that it is not tried again but time: by then it would have been, many times.
    await delay(1_000);
    expect(failures).toBe(1);
    expect(errorsLogged.map(({ message, meta }) => ({ message, error: meta?.['error'] }))).toContainEqual({
      message: 'observation failed, will retry',
      error: expect.stringContaining('it is too large'),
    });
    fakes.activities.observe = observe;
    await execution.handle.signal(resourceChanged);
    await until('what changed meanwhile is told', () => fakes.reasons().includes('StateChanged'));
    await execution.end();
  });

  it('give way to a poll that is asked for, and to a suspension', async () => {
    const fakes = createFakeActivities(byTurns({ intervalMs: 3_600_000 }));
    const execution = await env.start(fakes);
    await until('it was polled once', () => looks(execution) === 1);
    expect(await execution.handle.executeUpdate(pollNow)).toMatchObject({ phase: 'Monitoring', observed: 1 });
    expect(looks(execution)).toBe(2);
    expect(await execution.handle.executeUpdate(suspend)).toBe('Suspended');
    fakes.says(health('unhealthy'));
    expect(await execution.handle.executeUpdate(resume)).toBe('Monitoring');
    await until('what changed meanwhile is told', () => fakes.reasons().includes('StateChanged'));
    await execution.end();
  });

  it('judge again at the next poll what was held back by an action that has ended', async () => {
    const fakes = createFakeActivities(byTurns({ rules: [restartRule({ repeatMs: 1_000 })] }));
    fakes.says(health('unhealthy'));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = (_, calls) =>
      calls === 0 && fakes.all('begin').length === 1 ? gate.promise : Promise.resolve(undefined);
    const execution = await env.start(fakes);
    await until('a repeat is held back', () => fakes.counted.includes('suppressed Busy'));
    gate.resolve(undefined);
    await until('it fires again', () => fakes.all('begin').length > 1);
    await execution.end();
  });

  it('add nothing to the history either while the API server takes no status, which is written when it does', async () => {
    const fakes = createFakeActivities(byTurns());
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.reasons().includes('MonitoringStarted'));
    await settled(execution);
    fakes.faults.reportStatus = () => {
      throw new Error('connection refused');
    };
    fakes.says(health('unhealthy'));
    await until('the change is told', () => fakes.reasons().includes('StateChanged'));
    const events = await settled(execution);
    await polledAgain(execution, 4);
    expect(await length(execution)).toBe(events);
    fakes.faults = {};
    await until('the status says so', () =>
      fakes.all('status').some(({ status }) => JSON.stringify(status['state']).includes('unhealthy')),
    );
    await execution.end();
  });

  it('write no status at each of many changes, but the last one always', async () => {
    const fakes = createFakeActivities(byTurns());
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.reasons().includes('MonitoringStarted'));
    const changes = 40;
    for (let tasks = 1; tasks <= changes; tasks += 1) {
      fakes.says({ application: { health: 'healthy', tasks } });
      await polledAgain(execution, 1);
    }
    const [last] = await until('the last state is written', () => {
      const written = fakes
        .all('status')
        .filter(({ status }) => JSON.stringify(status['state']).includes(`:${changes}`));
      return written.length > 0 && written;
    });
    const [first] = fakes.all('status');
    const tookMs = (last?.at ?? 0) - (first?.at ?? 0);
    expect(fakes.all('status').length).toBeLessThanOrEqual(22 + tookMs / 5_000);
    await execution.end();
  });
});
