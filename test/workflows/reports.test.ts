import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../support/workflow-env.ts';
import { createWorld, health, planWith, restartRule } from '../support/world.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop(), 60_000);

const refused = () => {
  throw new Error('failed calling webhook');
};

describe('while the API server takes no Events', () => {
  it('the status is written and actions are done at once; the Events come when it takes them again', async () => {
    const world = createWorld(planWith({ intervalMs: 100, rules: [restartRule()] }));
    world.faults.recordEvents = refused;
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    world.says(health('unhealthy'));
    const begin = await until('it acted', () => world.all('begin')[0]);
    const mark = world.all('status').find(({ status }) => JSON.stringify(status['rules']).includes('firedAt'));
    expect(mark?.at).toBeLessThanOrEqual(begin.at);
    expect(begin.at - begin.request.at).toBeLessThan(3_000);
    await until('the outcome stands in the status', () =>
      world.all('status').some(({ status }) => JSON.stringify(status['rules']).includes('lastOutcome')),
    );
    expect(world.reasons()).toEqual([]);
    world.faults = {};
    const wanted = ['ActionSucceeded', 'MonitoringStarted', 'StateChanged', 'TriggerFired'];
    await until('all is told', () => wanted.every((reason) => world.reasons().includes(reason)));
    expect(world.reasons().toSorted()).toEqual(wanted);
    await life.end();
  }, 60_000);
});

describe('while Events are taken slowly', () => {
  it('the status does not wait for them', async () => {
    const world = createWorld(planWith({ intervalMs: 100 }));
    const gate = Promise.withResolvers<void>();
    const life = await env.live(world);
    await until('it is watched', () => world.reasons().includes('MonitoringStarted'));
    world.faults.recordEvents = () => gate.promise;
    world.says(health('unhealthy'));
    await until('the status says so', () =>
      world.all('status').some(({ status }) => JSON.stringify(status['state']).includes('unhealthy')),
    );
    expect(world.reasons()).toEqual(['MonitoringStarted']);
    gate.resolve();
    await life.end();
    expect(world.reasons()).toEqual(['MonitoringStarted', 'StateChanged']);
  }, 60_000);
});
