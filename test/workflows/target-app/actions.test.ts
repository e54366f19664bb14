import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import {
  createFakeActivities,
  type FakeActivities,
  health,
  planWith,
  restartRule,
} from '../../support/fake-activities.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { type Execution, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** An app that is unhealthy from the start, under these rules. */
async function unhealthy(
  rules: CompiledRule[],
  faults: FakeActivities['faults'],
  intervalMs = 200,
): Promise<Execution> {
  const fakes = createFakeActivities(planWith({ intervalMs, rules }));
  fakes.faults = faults;
  fakes.says(health('unhealthy'));
  return env.start(fakes);
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

const told = (fakes: FakeActivities, reason: string): Promise<string> =>
  until(`${reason} is told`, () => fakes.all('event').find(({ record }) => record.reason === reason)?.record.message);

const lastOutcome = ({ ledger }: FakeActivities): unknown =>
  ledger
    .flatMap((it) => (it.kind === 'status' ? (it.status['rules'] as { lastOutcome?: unknown }[]) : []))
    .findLast((rule) => rule.lastOutcome !== undefined)?.lastOutcome;

const lastSuppression = ({ ledger }: FakeActivities): unknown =>
  ledger
    .flatMap((it) => (it.kind === 'status' ? (it.status['rules'] as { lastSuppression?: unknown }[]) : []))
    .findLast((rule) => rule.lastSuppression !== undefined)?.lastSuppression;

/** Ids and attempts of the actions in a history. */
const scheduledActions = async (execution: Execution) =>
  (await execution.history()).events
    ?.map((event) => event.activityTaskScheduledEventAttributes)
    .filter((scheduled) => scheduled?.activityType?.name === 'restart_pod') ?? [];

describe('an action that fails', () => {
  it('is tried again under the same id until it succeeds', async () => {
    const execution = await unhealthy([restartRule()], {
      action: async (_, calls) => {
        if (calls < 2) throw ApplicationFailure.retryable('the budget allows no disruption now', 'TooManyRequests');
        return undefined;
      },
    });
    const { fakes } = execution;
    await told(fakes, 'ActionSucceeded');
    const requests = fakes.all('begin').map(({ request }) => request);
    expect(requests).toHaveLength(3);
    expect(requests[1]).toEqual(requests[0]);
    expect(requests[2]).toEqual(requests[0]);
    const scheduled = await scheduledActions(execution);
    expect(scheduled.map((attributes) => attributes?.activityId)).toEqual([requests[0]?.id]);
    await execution.end();
    expect(fakes.reasons()).not.toContain('ActionFailed');
  });

  it('for good is data: it is told, stands in the status, and the app is watched on', async () => {
    const execution = await unhealthy([restartRule({ retries: 1 })], {
      action: async () => {
        throw ApplicationFailure.retryable('the receiver answers 503', 'HTTPStatus');
      },
    });
    const { fakes } = execution;
    expect(await told(fakes, 'ActionFailed')).toContain('the receiver answers 503');
    const looks = fakes.all('look').length;
    await until('it looks on', () => fakes.all('look').length > looks + 2);
    await until('the status has it', () => lastOutcome(fakes));
    expect(lastOutcome(fakes)).toMatchObject({ status: 'failed', reason: 'HTTPStatus' });
    expect(fakes.all('begin')).toHaveLength(2);
    expect((await execution.handle.describe()).status.name).toBe('RUNNING');
    await execution.end();
  });

  it('and is lost with its worker is of unknown outcome within 15 s where it may happen once only, and stays undone', async () => {
    const rule = restartRule({ name: 'run-once', action: 'exec_command', repeatable: false });
    const execution = await unhealthy([rule], { loses: () => true });
    const { fakes } = execution;
    await until('it began', () => fakes.all('begin')[0]);
    const sinceBegun = startStopwatch();
    expect(await told(fakes, 'ActionOutcomeUnknown')).toContain('is not repeated');
    expect(sinceBegun.stop()).toBeLessThan(15_000);
    const looks = fakes.all('look').length;
    await until('it looked on', () => fakes.all('look').length > looks + 5);
    await until('the status has it', () => lastOutcome(fakes));
    expect(lastOutcome(fakes)).toMatchObject({ status: 'unknown', reason: 'OutcomeUnknown' });
    expect(fakes.all('begin')).toHaveLength(1);
    await execution.end();
  });

  it('and is lost with its worker is begun again under the same id where it may be repeated', async () => {
    let losses = 0;
    const execution = await unhealthy([restartRule()], { loses: () => losses++ === 0 });
    const { fakes } = execution;
    await told(fakes, 'ActionSucceeded');
    const ids = fakes.all('begin').map(({ request }) => request.id);
    expect(ids).toEqual([ids[0], ids[0]]);
    await execution.end();
  });
});

describe('an action that has to wait', () => {
  const wait = { status: 'waiting', reason: 'DisruptionBudget', message: 'not now', afterMs: 200 } as const;

  it('is asked for again under the same id, however few retries it has, and tells once why it waits, and how it ended', async () => {
    const rule = restartRule({ action: 'exec_command', repeatable: false });
    const execution = await unhealthy([rule], { action: async (_, calls) => (calls < 4 ? wait : undefined) });
    const { fakes } = execution;
    await told(fakes, 'ActionSucceeded');
    const requests = fakes.all('begin').map(({ request }) => request);
    expect(requests).toHaveLength(5);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
    const times = fakes.all('begin').map(({ at }) => at);
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(200 * 1.5 ** index - 5);
    await execution.end();
    expect(fakes.reasons().filter((reason) => reason.startsWith('Action'))).toEqual([
      'ActionWaiting',
      'ActionSucceeded',
    ]);
  });

  it('waits for as long as its attempts together may take; where nothing was begun, the rule has not fired', async () => {
    const rule = restartRule({ timeoutMs: 3_000, retries: 1, maxFirings: { max: 1, perMs: 3_600_000 } });
    const execution = await unhealthy([rule], { action: async () => wait });
    const { fakes } = execution;
    expect(await told(fakes, 'TriggerSuppressed')).toContain('(DisruptionBudget): not now');
    // 200 + 300 + 450 + … ms fit into six seconds, and then one more wait does not. Each call takes its time, too.
    expect(fakes.all('begin').length).toBeGreaterThan(1);
    fakes.faults = {};
    // Neither the episode nor maxFirings is used up.
    await told(fakes, 'ActionSucceeded');
    await execution.end();
    expect(fakes.reasons()).not.toContain('ActionFailed');
    expect(lastSuppression(fakes)).toMatchObject({ reason: 'DisruptionBudget' });
  });

  it('and has begun has failed when it waited for as long as it may', async () => {
    const rule = restartRule({ timeoutMs: 1_000, retries: 1 });
    const execution = await unhealthy([rule], { action: async () => ({ ...wait, begun: true }) });
    const { fakes } = execution;
    expect(await told(fakes, 'ActionFailed')).toContain('not now');
    await until('the status has it', () => lastOutcome(fakes));
    expect(lastOutcome(fakes)).toMatchObject({ status: 'failed', reason: 'DisruptionBudget' });
    const looks = fakes.all('look').length;
    await until('it looks on', () => fakes.all('look').length > looks + 3);
    await execution.end();
    expect(new Set(fakes.all('begin').map(({ request }) => request.id)).size).toBe(1);
  });

  it('is not done any more when the pod recovers meanwhile: neither the cooldown nor maxFirings knows of it', async () => {
    const rule = restartRule({ cooldownMs: 3_600_000, maxFirings: { max: 1, perMs: 3_600_000 } });
    const execution = await unhealthy([rule], { action: async () => ({ ...wait, afterMs: 1_000 }) });
    const { fakes } = execution;
    await until('it began', () => fakes.all('begin')[0]);
    fakes.says(health('healthy'));
    expect(await told(fakes, 'TriggerSuppressed')).toContain('(Recovered)');
    fakes.faults = {};
    fakes.says(health('unhealthy'));
    await told(fakes, 'ActionSucceeded');
    await execution.end();
  });

  it('is not asked for again when its TargetApp is deleted meanwhile', async () => {
    const execution = await unhealthy([restartRule()], { action: async () => ({ ...wait, afterMs: 20_000 }) });
    const { fakes } = execution;
    await until('it began', () => fakes.all('begin')[0]);
    const sinceDeleted = startStopwatch();
    await execution.end();
    expect(sinceDeleted.stop()).toBeLessThan(15_000);
    expect(fakes.all('begin')).toHaveLength(1);
  });

  it('waits no longer when it is suspended meanwhile, and is decided anew when that ends', async () => {
    const execution = await unhealthy([restartRule()], { action: async () => ({ ...wait, afterMs: 2_000 }) });
    const { fakes } = execution;
    await until('it began', () => fakes.all('begin')[0]);
    await execution.handle.executeUpdate('suspend');
    await until('the status has it', () => lastSuppression(fakes));
    expect(lastSuppression(fakes)).toMatchObject({ reason: 'Suspended' });
    const calls = fakes.all('begin').length;
    fakes.faults = {};
    await execution.handle.executeUpdate('resume');
    await told(fakes, 'ActionSucceeded');
    expect(fakes.all('begin')).toHaveLength(calls + 1);
    await execution.end();
  });
});

describe('a running action', () => {
  it('does not hold up polling', async () => {
    const gate = Promise.withResolvers<undefined>();
    const execution = await unhealthy([restartRule()], { action: () => gate.promise }, 100);
    const { fakes } = execution;
    await until('it began', () => fakes.all('begin').length > 0);
    const looks = fakes.all('look').length;
    await until('it is polled meanwhile', () => fakes.all('look').length > looks + 5);
    const { runningActions } = await execution.handle.query<{ runningActions: string[] }, []>('currentState');
    expect(runningActions).toEqual([fakes.all('begin')[0]?.request.id]);
    gate.resolve(undefined);
    await execution.end();
    expect(fakes.all('end')).toHaveLength(1);
  });

  it('is waited for by the next one on the same pod, in the order of the rules; one that touches no pod does not wait', async () => {
    const rules = [
      restartRule({ name: 'first', action: 'exec_command', repeatable: false }),
      restartRule({ name: 'second' }),
      restartRule({ name: 'beside', action: 'webhook', onPods: false }),
    ];
    const gate = Promise.withResolvers<undefined>();
    const execution = await unhealthy(rules, { action: ({ rule }) => (rule === 'first' ? gate.promise : pause(100)) });
    const { fakes } = execution;
    await until('one does not wait', () => fakes.all('end').some(({ request }) => request.rule === 'beside'));
    gate.resolve(undefined);
    await until('all have ended', () => fakes.all('end').length === 3);
    const order = fakes.ledger.flatMap((it) =>
      it.kind === 'begin' || it.kind === 'end' ? [`${it.kind} ${it.request.rule}`] : [],
    );
    const onPod = order.filter((step) => !step.endsWith('beside'));
    expect(onPod).toEqual(['begin first', 'end first', 'begin second', 'end second']);
    await execution.end();
  });

  it('on one pod does not hold up the same rule on another pod', async () => {
    const fakes = createFakeActivities(planWith({ rules: [restartRule()] }), 2);
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    for (const uid of fakes.pods.keys()) fakes.says(health('unhealthy'), uid);
    const execution = await env.start(fakes);
    await until('both are under way', () => fakes.all('begin').length === 2);
    expect(fakes.all('end')).toEqual([]);
    gate.resolve(undefined);
    expect(new Set(fakes.all('begin').map(({ request }) => request.id)).size).toBe(2);
    await execution.end();
  });
});

describe('while the API server is away', () => {
  const away = () => {
    throw new Error('connect ECONNREFUSED');
  };

  it('polling goes on, and each Event is recorded afterwards, once', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100 }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    fakes.faults = { recordEvents: away, reportStatus: away };
    const states = ['degraded', 'unhealthy', 'offline', 'healthy'];
    for (const state of states) {
      fakes.says(health(state));
      const looks = fakes.all('look').length;
      await until('it was seen', () => fakes.all('look').length > looks + 1);
    }
    fakes.faults = {};
    const told = () => fakes.all('event').filter(({ record }) => record.reason === 'StateChanged');
    await until('all are told', () => told().length >= states.length);
    await execution.end();
    const changes = told();
    expect(changes.map(({ record }) => /to (\w+)/.exec(record.message)?.[1]).toSorted()).toEqual(states.toSorted());
    expect(changes.map(({ record }) => record.count)).toEqual([1, 1, 1, 1]);
  });

  it('an action waits for its mark in the status for some seconds, and then does without', async () => {
    const fakes = createFakeActivities(planWith({ rules: [restartRule()] }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    fakes.faults.reportStatus = away;
    fakes.says(health('unhealthy'));
    const fired = await until('it fired', () =>
      fakes.all('event').find(({ record }) => record.reason === 'TriggerFired'),
    );
    const begin = await until('it acted', () => fakes.all('begin')[0]);
    expect(begin.at - fired.at).toBeGreaterThan(3_000);
    fakes.faults = {};
    await until('the status has it', () => lastOutcome(fakes));
    expect(fakes.all('begin')).toHaveLength(1);
    await execution.end();
  });
});

describe('a rule that fires faster than its action ends', () => {
  it('has one under way, and one for the last change that it could not fire for', async () => {
    const changed = restartRule({ trigger: { field: 'application.health', condition: 'changed' } });
    const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [changed] }));
    const hold = Promise.withResolvers<undefined>();
    fakes.faults = { action: () => hold.promise };
    fakes.says(health('h0'));
    const execution = await env.start(fakes);
    await until('it was seen', () => fakes.all('status').length > 0);
    for (let i = 1; i <= 4; i += 1) {
      const looks = fakes.all('look').length;
      fakes.says(health(`h${i}`));
      await until('two more looks', () => fakes.all('look').length >= looks + 2);
    }
    await until('it is told to be busy', () =>
      fakes.all('event').some(({ record }) => record.message.includes('(Busy)')),
    );
    expect(fakes.all('begin')).toHaveLength(1);
    hold.resolve(undefined);
    await until('the one that was held back is done', () => fakes.all('end').length === 2);
    await execution.end();
    expect(fakes.all('begin').map(({ request: { oldValue, newValue } }) => [oldValue, newValue])).toEqual([
      ['h0', 'h1'],
      ['h3', 'h4'],
    ]);
  });
});
