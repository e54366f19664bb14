import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFakeActivities, health, planWith, restartRule } from '../../support/fake-activities.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

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
    const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [restartRule()] }));
    fakes.faults.recordEvents = refused;
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    fakes.says(health('unhealthy'));
    const sinceSaid = startStopwatch();
    const begin = await until('it acted', () => fakes.all('begin')[0]);
    expect(sinceSaid.stop()).toBeLessThan(3_000);
    const mark = fakes.all('status').find(({ status }) => JSON.stringify(status['rules']).includes('firedAt'));
    expect(mark?.at).toBeLessThanOrEqual(begin.at);
    await until('the outcome stands in the status', () =>
      fakes.all('status').some(({ status }) => JSON.stringify(status['rules']).includes('lastOutcome')),
    );
    expect(fakes.reasons()).toEqual([]);
    fakes.faults = {};
    const wanted = ['ActionSucceeded', 'MonitoringStarted', 'StateChanged', 'TriggerFired'];
    await until('all is told', () => wanted.every((reason) => fakes.reasons().includes(reason)));
    expect(fakes.reasons().toSorted()).toEqual(wanted);
    await execution.end();
  });
});

describe('an Event that is refused again and again', () => {
  it('does not stand in the way of others, and is recorded in the end', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100 }));
    fakes.faults.recordEvents = (records) => {
      const left = records.flatMap(({ message }, i) => (message.includes('to odd') ? [i] : []));
      if (left.length === records.length) throw new Error('failed calling webhook');
      return { left };
    };
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.reasons().includes('MonitoringStarted'));
    fakes.says(health('odd'));
    await until('it is tried again alone', () => fakes.all('status').length > 1);
    for (const state of ['one', 'two', 'three']) {
      const sinceSaid = startStopwatch();
      fakes.says(health(state));
      await until(`${state} is told`, () =>
        fakes.all('event').some(({ record }) => record.message.includes(`to ${state}`)),
      );
      expect(sinceSaid.stop()).toBeLessThan(5_000);
    }
    expect(fakes.all('event').some(({ record }) => record.message.includes('to odd'))).toBe(false);
    fakes.faults = {};
    await until('it is told', () => fakes.all('event').some(({ record }) => record.message.includes('to odd')));
    await execution.end();
  });

  it('is told with its latest count', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100 }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.reasons().includes('MonitoringStarted'));
    fakes.faults.recordEvents = refused;
    for (const tasks of [4, 5, 6]) {
      const looks = fakes.all('look').length;
      fakes.says({ application: { health: 'healthy', tasks } });
      await until('it was seen', () => fakes.all('look').length > looks + 1);
    }
    fakes.faults = {};
    await until('it is told', () =>
      fakes.all('event').some(({ record }) => record.message.endsWith('to 6 on pod my-app-7d4b9c-0')),
    );
    await execution.end();
    const counts = fakes
      .all('event')
      .filter(({ record }) => record.reason === 'StateChanged')
      .map(({ record }) => record.count);
    expect(counts.at(-1)).toBe(3);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });
});

describe('a status that is refused for good', () => {
  it('is told by an Event, and holds up no action', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [restartRule()] }));
    fakes.faults.reportStatus = () => ({ refused: 'status.phase: unsupported value' });
    fakes.says(health('unhealthy'));
    const execution = await env.start(fakes);
    const told = await until('it is told', () =>
      fakes.all('event').find(({ record }) => record.reason === 'StatusRefused'),
    );
    expect(told.record.message).toContain('status.phase: unsupported value');
    await until('it acted', () => fakes.all('end').length === 1);
    await execution.end();
  });
});

describe('while Events are taken slowly', () => {
  it('the status does not wait for them', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100 }));
    const gate = Promise.withResolvers<void>();
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.reasons().includes('MonitoringStarted'));
    fakes.faults.recordEvents = () => gate.promise;
    fakes.says(health('unhealthy'));
    await until('the status says so', () =>
      fakes.all('status').some(({ status }) => JSON.stringify(status['state']).includes('unhealthy')),
    );
    expect(fakes.reasons()).toEqual(['MonitoringStarted']);
    gate.resolve();
    await execution.end();
    expect(fakes.reasons()).toEqual(['MonitoringStarted', 'StateChanged']);
  });
});
