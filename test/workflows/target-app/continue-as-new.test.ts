import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/domain/json.ts';
import type { TurnSummary } from '../../../src/workflows/messages.ts';
import { searchAttributes } from '../../../src/workflows/search-attributes.ts';
import { createFakeActivities, health, planWith, restartRule } from '../../support/fake-activities.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { type Execution, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

const hourMs = 3_600_000;
let env: WorkflowEnv;
/** A run hands on after some six polls instead of 372. */
const suggestedAt = 70;
beforeAll(async () => {
  env = await startWorkflowEnv({ 'limit.historyCount.suggestContinueAsNew': suggestedAt });
}, 600_000);
afterAll(() => env.stop());

const runIdOf = (status: JsonObject): unknown => (status['workflow'] as JsonObject)['runId'];
const currentRun = async (execution: Execution): Promise<string> => (await execution.handle.describe()).runId;

/** Everything that a status says but for times of polls and who says it. */
const saying = ({ lastPoll: _, workflow: __, ...rest }: JsonObject): string => JSON.stringify(rest);

async function untilAnotherRun(execution: Execution, first: string): Promise<string> {
  return until('another run goes on', async () => {
    const run = await currentRun(execution);
    return run === first ? undefined : run;
  });
}

describe('an hour of polls', () => {
  it('goes through several runs, and fires once per episode, tells each change once, and writes no needless status', async () => {
    // The clock is scaled, the polls are not: 120 of them, one each 50 ms instead of each 30 s.
    const fakes = createFakeActivities(planWith({ intervalMs: 50, rules: [restartRule({ forMs: 300 })] }), 3);
    let polls = 0;
    fakes.faults.observe = () => {
      polls += 1;
      if (polls === 20 || polls === 80) fakes.says(health('unhealthy'));
      if (polls === 60 || polls === 110) fakes.says(health('healthy'));
    };
    const execution = await env.start(fakes);
    await until('120 polls are done', () => polls >= 120, { timeoutMs: 240_000 });
    await execution.end();
    const statuses = fakes.all('status').map(({ status }) => status);
    expect(new Set(statuses.map(runIdOf)).size).toBeGreaterThan(5);
    expect(fakes.all('begin').map(({ request }) => [request.oldValue, request.newValue])).toEqual([
      ['healthy', 'unhealthy'],
      ['healthy', 'unhealthy'],
    ]);
    expect(fakes.counted).toEqual([
      'fired restart_pod',
      'ended restart_pod succeeded',
      'fired restart_pod',
      'ended restart_pod succeeded',
    ]);
    const changes = fakes.all('event').filter(({ record }) => record.reason === 'StateChanged');
    expect(changes).toHaveLength(4);
    expect(fakes.reasons().filter((reason) => reason === 'MonitoringStarted')).toHaveLength(1);
    const needless = statuses.filter((status, i) => {
      const before = statuses[i - 1];
      return before !== undefined && runIdOf(before) === runIdOf(status) && saying(before) === saying(status);
    });
    expect(needless).toEqual([]);
  });
});

describe('continue-as-new', () => {
  it('keeps a cooldown, an episode that has fired, and by what the workflow is found', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [restartRule({ cooldownMs: hourMs })] }));
    fakes.says(health('unhealthy'));
    const execution = await env.start(fakes);
    const first = await currentRun(execution);
    await until('it acted', () => fakes.all('end').length === 1);
    const second = await untilAnotherRun(execution, first);
    const { typedSearchAttributes } = await execution.handle.describe();
    expect(typedSearchAttributes.get(searchAttributes.name)).toBe('my-app');
    expect(typedSearchAttributes.get(searchAttributes.phase)).toBe('Monitoring');
    fakes.says(health('healthy'));
    await until('it is healthy', () => fakes.reasons().includes('StateChanged'));
    fakes.says(health('unhealthy'));
    await until('it is held back', () => fakes.reasons().includes('TriggerSuppressed'));
    await untilAnotherRun(execution, second);
    await execution.end();
    expect(fakes.all('begin')).toHaveLength(1);
    expect(fakes.counted).toEqual(['fired restart_pod', 'ended restart_pod succeeded', 'suppressed Cooldown']);
  });

  it('comes earlier where turns hold the polls, though not while an action runs', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 250, turnMs: hourMs, rules: [restartRule()] }));
    fakes.says(health('unhealthy'));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    const execution = await env.start(fakes, {}, { eventsPerRun: 10 });
    const first = await currentRun(execution);
    await until('the action runs', () => fakes.all('begin').length === 1);
    fakes.says({ application: { health: 'unhealthy', tasks: 4 } });
    await until('its history is longer', async () => (await execution.handle.describe()).historyLength > 25);
    expect(await currentRun(execution)).toBe(first);
    gate.resolve(undefined);
    await untilAnotherRun(execution, first);
    await execution.end();
    const { events } = await execution.history(first);
    expect(Number(events?.at(-1)?.eventId)).toBeLessThanOrEqual(suggestedAt);
    const [begun] = (await execution.history()).events ?? [];
    const [payload] = begun?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    expect(JSON.parse(Buffer.from(payload?.data ?? []).toString())).toMatchObject({ eventsPerRun: 250 });
  });

  it('waits for a running action, which is not begun again', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [restartRule()] }));
    fakes.says(health('unhealthy'));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    const execution = await env.start(fakes);
    const first = await currentRun(execution);
    await until('far more was polled than one run does', () => fakes.all('look').length > 15);
    expect(await currentRun(execution)).toBe(first);
    gate.resolve(undefined);
    await untilAnotherRun(execution, first);
    await until('it is told', () => fakes.reasons().includes('ActionSucceeded'));
    await execution.end();
    expect(fakes.all('begin')).toHaveLength(1);
    const events = (await execution.history(first)).events ?? [];
    expect(
      events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'restart_pod'),
    ).toHaveLength(1);
    expect(events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes).toBeTruthy();
  });

  it('stops polling once where some action always runs, so that the next run can take over', async () => {
    const rule = restartRule({ action: 'webhook', onPods: false, repeatMs: 100 });
    const fakes = createFakeActivities(planWith({ intervalMs: 50, rules: [rule] }));
    fakes.says(health('unhealthy'));
    // Each action ends when the next one has begun, so there is no look without one.
    let endAction = () => {};
    fakes.faults.action = () => {
      endAction();
      const gate = Promise.withResolvers<undefined>();
      endAction = () => gate.resolve(undefined);
      return gate.promise;
    };
    const execution = await env.start(fakes);
    const first = await currentRun(execution);
    await until('its history is long overdue', async () => {
      const { historyLength } = await execution.handle.describe();
      return historyLength > 4 * suggestedAt;
    });
    await until('it polls no more', async () => {
      const looks = fakes.all('look').length;
      await delay(1_000);
      return fakes.all('look').length === looks;
    });
    expect(await currentRun(execution)).toBe(first);
    endAction();
    await untilAnotherRun(execution, first);
    const looks = fakes.all('look').length;
    await until('it polls again', () => fakes.all('look').length > looks + 2);
    fakes.faults = {};
    endAction();
    await execution.end();
    const ids = fakes.all('begin').map(({ request }) => request.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(fakes.all('end')).toHaveLength(ids.length);
  });

  it('answers every update, also those that come while it hands on', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    // A status of each new run is written slowly, so that words come while a run waits for the end of its report.
    fakes.faults.reportStatus = () => new Promise((resolve) => setTimeout(resolve, 300));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    const first = await currentRun(execution);
    for (let i = 0; i < 12 || (i < 60 && (await currentRun(execution)) === first); i++) {
      fakes.says(health(`state-${i}`));
      const answers = await Promise.all([1, 2].map(() => execution.handle.executeUpdate<TurnSummary, []>('pollNow')));
      expect(answers.map(({ matched }) => matched)).toEqual([1, 1]);
      // It hands on when nobody is waiting for an answer.
      if (i % 4 === 3) await delay(1_000);
    }
    expect(await currentRun(execution)).not.toBe(first);
    await execution.end();
  });

  it('keeps what an update has suspended', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    const first = await currentRun(execution);
    await execution.handle.executeUpdate('suspend');
    for (let i = 0; (await currentRun(execution)) === first && i < 30; i++) {
      const looks = fakes.all('look').length;
      await execution.handle.signal('resourceChanged');
      await until('it looked', () => fakes.all('look').length > looks);
    }
    expect(await currentRun(execution)).not.toBe(first);
    const looks = fakes.all('look').length;
    await execution.handle.signal('resourceChanged');
    await until('the next run looked', () => fakes.all('look').length > looks);
    expect(fakes.all('look').at(-1)?.input.held).toBe(true);
    expect(await execution.handle.executeUpdate('resume')).toBe('Monitoring');
    await execution.end();
  });

  it('is not held up for long by an API server that is away, and keeps what is not recorded yet', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 200 }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    const first = await currentRun(execution);
    fakes.faults.recordEvents = () => {
      throw new Error('connect ECONNREFUSED');
    };
    fakes.says(health('degraded'));
    await until('it was seen', () =>
      fakes.all('look').some(({ told }) => told.readings !== undefined && told.plan === undefined),
    );
    const sinceSeen = startStopwatch();
    await untilAnotherRun(execution, first);
    expect(sinceSeen.stop()).toBeLessThan(15_000);
    fakes.faults = {};
    await until('it is recorded', () => fakes.reasons().includes('StateChanged'));
    await execution.end();
    expect(
      fakes
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
    const fakes = createFakeActivities(planWith({ intervalMs: 300, rules }), 60);
    const away = { status: 'waiting', reason: 'HTTPStatus', message: 'answered 503', afterMs: 0, begun: true } as const;
    fakes.faults.action = async () => away;
    for (const uid of fakes.pods.keys()) fakes.says(long('healthy'), uid);
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    const seen = new Set([await currentRun(execution)]);
    let word = 'unhealthy';
    for (let round = 0; round < 4; round += 1) {
      for (const uid of fakes.pods.keys()) fakes.says(long(word), uid);
      word = word === 'unhealthy' ? 'healthy' : 'unhealthy';
      const looks = fakes.all('look').length;
      await until('it looked twice', () => fakes.all('look').length >= looks + 2, { timeoutMs: 120_000 });
      seen.add(await currentRun(execution));
    }
    await until('other runs have gone on', async () => seen.add(await currentRun(execution)).size >= 3, {
      timeoutMs: 120_000,
    });
    expect((await execution.handle.describe()).status.name).toBe('RUNNING');
    const looks = fakes.all('look').length;
    await until('it is watched on', () => fakes.all('look').length > looks + 2);
    await execution.end();
  });
});
