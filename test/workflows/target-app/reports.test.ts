import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';
import { createWorld, health, planWith, restartRule } from '../../support/world.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

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
    const sinceSaid = startStopwatch();
    const begin = await until('it acted', () => world.all('begin')[0]);
    expect(sinceSaid.stop()).toBeLessThan(3_000);
    const mark = world.all('status').find(({ status }) => JSON.stringify(status['rules']).includes('firedAt'));
    expect(mark?.at).toBeLessThanOrEqual(begin.at);
    await until('the outcome stands in the status', () =>
      world.all('status').some(({ status }) => JSON.stringify(status['rules']).includes('lastOutcome')),
    );
    expect(world.reasons()).toEqual([]);
    world.faults = {};
    const wanted = ['ActionSucceeded', 'MonitoringStarted', 'StateChanged', 'TriggerFired'];
    await until('all is told', () => wanted.every((reason) => world.reasons().includes(reason)));
    expect(world.reasons().toSorted()).toEqual(wanted);
    await life.end();
  });
});

describe('an Event that is refused again and again', () => {
  it('does not stand in the way of others, and is recorded in the end', async () => {
    const world = createWorld(planWith({ intervalMs: 100 }));
    world.faults.recordEvents = (records) => {
      const left = records.flatMap(({ message }, i) => (message.includes('to odd') ? [i] : []));
      if (left.length === records.length) throw new Error('failed calling webhook');
      return { left };
    };
    const life = await env.live(world);
    await until('it is watched', () => world.reasons().includes('MonitoringStarted'));
    world.says(health('odd'));
    await until('it is tried again alone', () => world.all('status').length > 1);
    for (const state of ['one', 'two', 'three']) {
      const sinceSaid = startStopwatch();
      world.says(health(state));
      await until(`${state} is told`, () =>
        world.all('event').some(({ record }) => record.message.includes(`to ${state}`)),
      );
      expect(sinceSaid.stop()).toBeLessThan(5_000);
    }
    expect(world.all('event').some(({ record }) => record.message.includes('to odd'))).toBe(false);
    world.faults = {};
    await until('it is told', () => world.all('event').some(({ record }) => record.message.includes('to odd')));
    await life.end();
  });

  it('is told with its latest count', async () => {
    const world = createWorld(planWith({ intervalMs: 100 }));
    const life = await env.live(world);
    await until('it is watched', () => world.reasons().includes('MonitoringStarted'));
    world.faults.recordEvents = refused;
    for (const tasks of [4, 5, 6]) {
      const looks = world.all('look').length;
      world.says({ application: { health: 'healthy', tasks } });
      await until('it was seen', () => world.all('look').length > looks + 1);
    }
    world.faults = {};
    await until('it is told', () =>
      world.all('event').some(({ record }) => record.message.endsWith('to 6 on pod my-app-7d4b9c-0')),
    );
    await life.end();
    const counts = world
      .all('event')
      .filter(({ record }) => record.reason === 'StateChanged')
      .map(({ record }) => record.count);
    expect(counts.at(-1)).toBe(3);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });
});

describe('a status that is refused for good', () => {
  it('is told by an Event, and holds up no action', async () => {
    const world = createWorld(planWith({ intervalMs: 100, rules: [restartRule()] }));
    world.faults.reportStatus = () => ({ refused: 'status.phase: unsupported value' });
    world.says(health('unhealthy'));
    const life = await env.live(world);
    const told = await until('it is told', () =>
      world.all('event').find(({ record }) => record.reason === 'StatusRefused'),
    );
    expect(told.record.message).toContain('status.phase: unsupported value');
    await until('it acted', () => world.all('end').length === 1);
    await life.end();
  });
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
  });
});
