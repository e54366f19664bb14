import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { TurnSummary } from '../../../src/workflows/messages.ts';
import { searchAttributes } from '../../../src/workflows/search-attributes.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { type Life, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';
import { createWorld, health, planWith, restartRule } from '../../support/world.ts';

const hourMs = 3_600_000;
let env: WorkflowEnv;
/** A run hands on after some six polls instead of 372. */
const suggestedAt = 70;
beforeAll(async () => {
  env = await startWorkflowEnv({ 'limit.historyCount.suggestContinueAsNew': suggestedAt });
}, 600_000);
afterAll(() => env.stop());

const runIdOf = (status: JsonObject): unknown => (status['workflow'] as JsonObject)['runId'];
const currentRun = async (life: Life): Promise<string> => (await life.handle.describe()).runId;

/** Everything that a status says but for times of polls and who says it. */
const saying = ({ lastPoll: _, workflow: __, ...rest }: JsonObject): string => JSON.stringify(rest);

async function untilAnotherRun(life: Life, first: string): Promise<string> {
  return until('another run goes on', async () => {
    const run = await currentRun(life);
    return run === first ? undefined : run;
  });
}

describe('an hour of polls', () => {
  it('goes through several runs, and fires once per episode, tells each change once, and writes no needless status', async () => {
    // The clock is scaled, the polls are not: 120 of them, one each 50 ms instead of each 30 s.
    const world = createWorld(planWith({ intervalMs: 50, rules: [restartRule({ forMs: 300 })] }), 3);
    let polls = 0;
    world.faults.observe = () => {
      polls += 1;
      if (polls === 20 || polls === 80) world.says(health('unhealthy'));
      if (polls === 60 || polls === 110) world.says(health('healthy'));
    };
    const life = await env.live(world);
    await until('120 polls are done', () => polls >= 120, { timeoutMs: 240_000 });
    await life.end();
    const statuses = world.all('status').map(({ status }) => status);
    expect(new Set(statuses.map(runIdOf)).size).toBeGreaterThan(5);
    expect(world.all('begin').map(({ request }) => [request.oldValue, request.newValue])).toEqual([
      ['healthy', 'unhealthy'],
      ['healthy', 'unhealthy'],
    ]);
    expect(world.counted).toEqual([
      'fired restart_pod',
      'ended restart_pod succeeded',
      'fired restart_pod',
      'ended restart_pod succeeded',
    ]);
    const changes = world.all('event').filter(({ record }) => record.reason === 'StateChanged');
    expect(changes).toHaveLength(4);
    expect(world.reasons().filter((reason) => reason === 'MonitoringStarted')).toHaveLength(1);
    const needless = statuses.filter((status, i) => {
      const before = statuses[i - 1];
      return before !== undefined && runIdOf(before) === runIdOf(status) && saying(before) === saying(status);
    });
    expect(needless).toEqual([]);
  });
});

describe('continue-as-new', () => {
  it('keeps a cooldown, an episode that has fired, and by what the workflow is found', async () => {
    const world = createWorld(planWith({ intervalMs: 100, rules: [restartRule({ cooldownMs: hourMs })] }));
    world.says(health('unhealthy'));
    const life = await env.live(world);
    const first = await currentRun(life);
    await until('it acted', () => world.all('end').length === 1);
    const second = await untilAnotherRun(life, first);
    const { typedSearchAttributes } = await life.handle.describe();
    expect(typedSearchAttributes.get(searchAttributes.name)).toBe('my-app');
    expect(typedSearchAttributes.get(searchAttributes.phase)).toBe('Monitoring');
    world.says(health('healthy'));
    await until('it is healthy', () => world.reasons().includes('StateChanged'));
    world.says(health('unhealthy'));
    await until('it is held back', () => world.reasons().includes('TriggerSuppressed'));
    await untilAnotherRun(life, second);
    await life.end();
    expect(world.all('begin')).toHaveLength(1);
    expect(world.counted).toEqual(['fired restart_pod', 'ended restart_pod succeeded', 'suppressed Cooldown']);
  });

  it('waits for a running action, which is not begun again', async () => {
    const world = createWorld(planWith({ intervalMs: 100, rules: [restartRule()] }));
    world.says(health('unhealthy'));
    const gate = Promise.withResolvers<undefined>();
    world.faults.action = () => gate.promise;
    const life = await env.live(world);
    const first = await currentRun(life);
    await until('far more was polled than one run does', () => world.all('look').length > 15);
    expect(await currentRun(life)).toBe(first);
    gate.resolve(undefined);
    await untilAnotherRun(life, first);
    await until('it is told', () => world.reasons().includes('ActionSucceeded'));
    await life.end();
    expect(world.all('begin')).toHaveLength(1);
    const events = (await life.history(first)).events ?? [];
    expect(
      events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'restart_pod'),
    ).toHaveLength(1);
    expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
  });

  it('stops polling once where some action always runs, so that the next run can take over', async () => {
    const rule = restartRule({ action: 'webhook', onPods: false, repeatMs: 100 });
    const world = createWorld(planWith({ intervalMs: 50, rules: [rule] }));
    world.says(health('unhealthy'));
    // Each action ends when the next one has begun, so there is no look without one.
    let endAction = () => {};
    world.faults.action = () => {
      endAction();
      const gate = Promise.withResolvers<undefined>();
      endAction = () => gate.resolve(undefined);
      return gate.promise;
    };
    const life = await env.live(world);
    const first = await currentRun(life);
    await until('its history is long overdue', async () => {
      const { historyLength } = await life.handle.describe();
      return historyLength > 4 * suggestedAt;
    });
    await until('it polls no more', async () => {
      const looks = world.all('look').length;
      await delay(1_000);
      return world.all('look').length === looks;
    });
    expect(await currentRun(life)).toBe(first);
    endAction();
    await untilAnotherRun(life, first);
    const looks = world.all('look').length;
    await until('it polls again', () => world.all('look').length > looks + 2);
    world.faults = {};
    endAction();
    await life.end();
    const ids = world.all('begin').map(({ request }) => request.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(world.all('end')).toHaveLength(ids.length);
  });

  it('answers every update, also those that come while it hands on', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    // A status of each new run is written slowly, so that words come while a run waits for the end of its report.
    world.faults.reportStatus = () => new Promise((resolve) => setTimeout(resolve, 300));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    const first = await currentRun(life);
    for (let i = 0; i < 12 || (i < 60 && (await currentRun(life)) === first); i++) {
      world.says(health(`state-${i}`));
      const answers = await Promise.all([1, 2].map(() => life.handle.executeUpdate<TurnSummary, []>('pollNow')));
      expect(answers.map(({ matched }) => matched)).toEqual([1, 1]);
      // It hands on when nobody is waiting for an answer.
      if (i % 4 === 3) await delay(1_000);
    }
    expect(await currentRun(life)).not.toBe(first);
    await life.end();
  });

  it('keeps what an update has suspended', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    const first = await currentRun(life);
    await life.handle.executeUpdate('suspend');
    for (let i = 0; (await currentRun(life)) === first && i < 30; i++) {
      const looks = world.all('look').length;
      await life.handle.signal('resourceChanged');
      await until('it looked', () => world.all('look').length > looks);
    }
    expect(await currentRun(life)).not.toBe(first);
    const looks = world.all('look').length;
    await life.handle.signal('resourceChanged');
    await until('the next run looked', () => world.all('look').length > looks);
    expect(world.all('look').at(-1)?.input.held).toBe(true);
    expect(await life.handle.executeUpdate('resume')).toBe('Monitoring');
    await life.end();
  });

  it('is not held up for long by an API server that is away, and keeps what is not recorded yet', async () => {
    const world = createWorld(planWith({ intervalMs: 200 }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    const first = await currentRun(life);
    world.faults.recordEvents = () => {
      throw new Error('connect ECONNREFUSED');
    };
    world.says(health('degraded'));
    await until('it was seen', () =>
      world.all('look').some(({ told }) => told.readings !== undefined && told.plan === undefined),
    );
    const sinceSeen = startStopwatch();
    await untilAnotherRun(life, first);
    expect(sinceSeen.stop()).toBeLessThan(15_000);
    world.faults = {};
    await until('it is recorded', () => world.reasons().includes('StateChanged'));
    await life.end();
    expect(
      world
        .all('event')
        .filter(({ record }) => record.reason === 'StateChanged')
        .map(({ record }) => record.count),
    ).toEqual([1]);
  });
});

describe('a TargetApp with more to remember than Temporal takes', () => {
  it('is watched on: values are cut, and no run ends but by handing on', async () => {
    const long = (word: string) => ({ application: { health: word, log: `${word} ${'ü'.repeat(5_500)}` } });
    const rules = Array.from({ length: 10 }, (_, i) =>
      restartRule({
        name: `rule-${i}`,
        key: `rule-${i}`,
        action: 'webhook',
        onPods: false,
        receiver: `r${i}`,
        deliverForMs: 3_600_000,
        trigger: { field: 'application.log', condition: 'contains', value: `unhealthy` },
        stateRefs: ['application.log'],
      }),
    );
    const world = createWorld(planWith({ intervalMs: 300, rules }), 60);
    const away = { status: 'waiting', reason: 'HTTPStatus', message: 'answered 503', afterMs: 0, begun: true } as const;
    world.faults.action = async () => away;
    for (const uid of world.pods.keys()) world.says(long('healthy'), uid);
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    const seen = new Set([await currentRun(life)]);
    let word = 'unhealthy';
    for (let round = 0; round < 4; round += 1) {
      for (const uid of world.pods.keys()) world.says(long(word), uid);
      word = word === 'unhealthy' ? 'healthy' : 'unhealthy';
      const looks = world.all('look').length;
      await until('it looked twice', () => world.all('look').length >= looks + 2, { timeoutMs: 120_000 });
      seen.add(await currentRun(life));
    }
    await until('other runs have gone on', async () => seen.add(await currentRun(life)).size >= 3, {
      timeoutMs: 120_000,
    });
    expect((await life.handle.describe()).status.name).toBe('RUNNING');
    const looks = world.all('look').length;
    await until('it is watched on', () => world.all('look').length > looks + 2);
    await life.end();
  });
});
