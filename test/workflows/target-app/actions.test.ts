import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { type Life, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';
import { createWorld, health, planWith, restartRule, type World } from '../../support/world.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** An app that is unhealthy from the start, under these rules. */
async function unhealthy(rules: CompiledRule[], faults: World['faults'], intervalMs = 200): Promise<Life> {
  const world = createWorld(planWith({ intervalMs, rules }));
  world.faults = faults;
  world.says(health('unhealthy'));
  return env.live(world);
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

const told = (world: World, reason: string): Promise<string> =>
  until(`${reason} is told`, () => world.all('event').find(({ record }) => record.reason === reason)?.record.message);

const lastOutcome = ({ ledger }: World): unknown =>
  ledger
    .flatMap((it) => (it.kind === 'status' ? (it.status['rules'] as { lastOutcome?: unknown }[]) : []))
    .findLast((rule) => rule.lastOutcome !== undefined)?.lastOutcome;

const lastSuppression = ({ ledger }: World): unknown =>
  ledger
    .flatMap((it) => (it.kind === 'status' ? (it.status['rules'] as { lastSuppression?: unknown }[]) : []))
    .findLast((rule) => rule.lastSuppression !== undefined)?.lastSuppression;

/** Ids and attempts of the actions in a history. */
const scheduledActions = async (life: Life) =>
  (await life.history()).events
    ?.map((event) => event.activityTaskScheduledEventAttributes)
    .filter((scheduled) => scheduled?.activityType?.name === 'restart_pod') ?? [];

describe('an action that fails', () => {
  it('is tried again under the same id until it succeeds', async () => {
    const life = await unhealthy([restartRule()], {
      action: async (_, calls) => {
        if (calls < 2) throw ApplicationFailure.retryable('the budget allows no disruption now', 'TooManyRequests');
        return undefined;
      },
    });
    const { world } = life;
    await told(world, 'ActionSucceeded');
    const requests = world.all('begin').map(({ request }) => request);
    expect(requests).toHaveLength(3);
    expect(requests[1]).toEqual(requests[0]);
    expect(requests[2]).toEqual(requests[0]);
    const scheduled = await scheduledActions(life);
    expect(scheduled.map((attributes) => attributes?.activityId)).toEqual([requests[0]?.id]);
    await life.end();
    expect(world.reasons()).not.toContain('ActionFailed');
  });

  it('for good is data: it is told, stands in the status, and the app is watched on', async () => {
    const life = await unhealthy([restartRule({ retries: 1 })], {
      action: async () => {
        throw ApplicationFailure.retryable('the receiver answers 503', 'HTTPStatus');
      },
    });
    const { world } = life;
    expect(await told(world, 'ActionFailed')).toContain('the receiver answers 503');
    const looks = world.all('look').length;
    await until('it looks on', () => world.all('look').length > looks + 2);
    await until('the status has it', () => lastOutcome(world));
    expect(lastOutcome(world)).toMatchObject({ status: 'failed', reason: 'HTTPStatus' });
    expect(world.all('begin')).toHaveLength(2);
    expect((await life.handle.describe()).status.name).toBe('RUNNING');
    await life.end();
  });

  it('and is lost with its worker is of unknown outcome within 15 s where it may happen once only, and stays undone', async () => {
    const rule = restartRule({ name: 'run-once', action: 'exec_command', repeatable: false });
    const life = await unhealthy([rule], { loses: () => true });
    const { world } = life;
    await until('it began', () => world.all('begin')[0]);
    const sinceBegun = startStopwatch();
    expect(await told(world, 'ActionOutcomeUnknown')).toContain('is not repeated');
    expect(sinceBegun.stop()).toBeLessThan(15_000);
    const looks = world.all('look').length;
    await until('it looked on', () => world.all('look').length > looks + 5);
    await until('the status has it', () => lastOutcome(world));
    expect(lastOutcome(world)).toMatchObject({ status: 'unknown', reason: 'OutcomeUnknown' });
    expect(world.all('begin')).toHaveLength(1);
    await life.end();
  });

  it('and is lost with its worker is begun again under the same id where it may be repeated', async () => {
    let losses = 0;
    const life = await unhealthy([restartRule()], { loses: () => losses++ === 0 });
    const { world } = life;
    await told(world, 'ActionSucceeded');
    const ids = world.all('begin').map(({ request }) => request.id);
    expect(ids).toEqual([ids[0], ids[0]]);
    await life.end();
  });
});

describe('an action that has to wait', () => {
  const wait = { status: 'waiting', reason: 'DisruptionBudget', message: 'not now', afterMs: 200 } as const;

  it('is asked for again under the same id, however few retries it has, and tells once why it waits, and how it ended', async () => {
    const rule = restartRule({ action: 'exec_command', repeatable: false });
    const life = await unhealthy([rule], { action: async (_, calls) => (calls < 4 ? wait : undefined) });
    const { world } = life;
    await told(world, 'ActionSucceeded');
    const requests = world.all('begin').map(({ request }) => request);
    expect(requests).toHaveLength(5);
    expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
    const times = world.all('begin').map(({ at }) => at);
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(200 * 1.5 ** index - 5);
    await life.end();
    expect(world.reasons().filter((reason) => reason.startsWith('Action'))).toEqual([
      'ActionWaiting',
      'ActionSucceeded',
    ]);
  });

  it('waits for as long as its attempts together may take; where nothing was begun, the rule has not fired', async () => {
    const rule = restartRule({ timeoutMs: 3_000, retries: 1, maxFirings: { max: 1, perMs: 3_600_000 } });
    const life = await unhealthy([rule], { action: async () => wait });
    const { world } = life;
    expect(await told(world, 'TriggerSuppressed')).toContain('(DisruptionBudget): not now');
    // 200 + 300 + 450 + … ms fit into six seconds, and then one more wait does not. Each call takes its time, too.
    expect(world.all('begin').length).toBeGreaterThan(1);
    world.faults = {};
    // Neither the episode nor maxFirings is used up.
    await told(world, 'ActionSucceeded');
    await life.end();
    expect(world.reasons()).not.toContain('ActionFailed');
    expect(lastSuppression(world)).toMatchObject({ reason: 'DisruptionBudget' });
  });

  it('and has begun has failed when it waited for as long as it may', async () => {
    const rule = restartRule({ timeoutMs: 1_000, retries: 1 });
    const life = await unhealthy([rule], { action: async () => ({ ...wait, begun: true }) });
    const { world } = life;
    expect(await told(world, 'ActionFailed')).toContain('not now');
    await until('the status has it', () => lastOutcome(world));
    expect(lastOutcome(world)).toMatchObject({ status: 'failed', reason: 'DisruptionBudget' });
    const looks = world.all('look').length;
    await until('it looks on', () => world.all('look').length > looks + 3);
    await life.end();
    expect(new Set(world.all('begin').map(({ request }) => request.id)).size).toBe(1);
  });

  it('is not done any more when the pod recovers meanwhile: neither the cooldown nor maxFirings knows of it', async () => {
    const rule = restartRule({ cooldownMs: 3_600_000, maxFirings: { max: 1, perMs: 3_600_000 } });
    const life = await unhealthy([rule], { action: async () => ({ ...wait, afterMs: 1_000 }) });
    const { world } = life;
    await until('it began', () => world.all('begin')[0]);
    world.says(health('healthy'));
    expect(await told(world, 'TriggerSuppressed')).toContain('(Recovered)');
    world.faults = {};
    world.says(health('unhealthy'));
    await told(world, 'ActionSucceeded');
    await life.end();
  });

  it('is not asked for again when its TargetApp is deleted meanwhile', async () => {
    const life = await unhealthy([restartRule()], { action: async () => ({ ...wait, afterMs: 20_000 }) });
    const { world } = life;
    await until('it began', () => world.all('begin')[0]);
    const sinceDeleted = startStopwatch();
    await life.end();
    expect(sinceDeleted.stop()).toBeLessThan(15_000);
    expect(world.all('begin')).toHaveLength(1);
  });

  it('waits no longer when it is suspended meanwhile, and is decided anew when that ends', async () => {
    const life = await unhealthy([restartRule()], { action: async () => ({ ...wait, afterMs: 2_000 }) });
    const { world } = life;
    await until('it began', () => world.all('begin')[0]);
    await life.handle.executeUpdate('suspend');
    await until('the status has it', () => lastSuppression(world));
    expect(lastSuppression(world)).toMatchObject({ reason: 'Suspended' });
    const calls = world.all('begin').length;
    world.faults = {};
    await life.handle.executeUpdate('resume');
    await told(world, 'ActionSucceeded');
    expect(world.all('begin')).toHaveLength(calls + 1);
    await life.end();
  });
});

describe('a running action', () => {
  it('does not hold up polling', async () => {
    const gate = Promise.withResolvers<undefined>();
    const life = await unhealthy([restartRule()], { action: () => gate.promise }, 100);
    const { world } = life;
    await until('it began', () => world.all('begin').length > 0);
    const looks = world.all('look').length;
    await until('it is polled meanwhile', () => world.all('look').length > looks + 5);
    const { runningActions } = await life.handle.query<{ runningActions: string[] }, []>('currentState');
    expect(runningActions).toEqual([world.all('begin')[0]?.request.id]);
    gate.resolve(undefined);
    await life.end();
    expect(world.all('end')).toHaveLength(1);
  });

  it('is waited for by the next one on the same pod, in the order of the rules; one that touches no pod does not wait', async () => {
    const rules = [
      restartRule({ name: 'first', action: 'exec_command', repeatable: false }),
      restartRule({ name: 'second' }),
      restartRule({ name: 'beside', action: 'webhook', onPods: false }),
    ];
    const gate = Promise.withResolvers<undefined>();
    const life = await unhealthy(rules, { action: ({ rule }) => (rule === 'first' ? gate.promise : pause(100)) });
    const { world } = life;
    await until('one does not wait', () => world.all('end').some(({ request }) => request.rule === 'beside'));
    gate.resolve(undefined);
    await until('all have ended', () => world.all('end').length === 3);
    const order = world.ledger.flatMap((it) =>
      it.kind === 'begin' || it.kind === 'end' ? [`${it.kind} ${it.request.rule}`] : [],
    );
    const onPod = order.filter((step) => !step.endsWith('beside'));
    expect(onPod).toEqual(['begin first', 'end first', 'begin second', 'end second']);
    await life.end();
  });

  it('on one pod does not hold up the same rule on another pod', async () => {
    const world = createWorld(planWith({ rules: [restartRule()] }), 2);
    const gate = Promise.withResolvers<undefined>();
    world.faults.action = () => gate.promise;
    for (const uid of world.pods.keys()) world.says(health('unhealthy'), uid);
    const life = await env.live(world);
    await until('both are under way', () => world.all('begin').length === 2);
    expect(world.all('end')).toEqual([]);
    gate.resolve(undefined);
    expect(new Set(world.all('begin').map(({ request }) => request.id)).size).toBe(2);
    await life.end();
  });
});

describe('while the API server is away', () => {
  const away = () => {
    throw new Error('connect ECONNREFUSED');
  };

  it('polling goes on, and each Event is recorded afterwards, once', async () => {
    const world = createWorld(planWith({ intervalMs: 100 }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    world.faults = { recordEvents: away, reportStatus: away };
    const states = ['degraded', 'unhealthy', 'offline', 'healthy'];
    for (const state of states) {
      world.says(health(state));
      const looks = world.all('look').length;
      await until('it was seen', () => world.all('look').length > looks + 1);
    }
    world.faults = {};
    const told = () => world.all('event').filter(({ record }) => record.reason === 'StateChanged');
    await until('all are told', () => told().length >= states.length);
    await life.end();
    const changes = told();
    expect(changes.map(({ record }) => /to (\w+)/.exec(record.message)?.[1]).toSorted()).toEqual(states.toSorted());
    expect(changes.map(({ record }) => record.count)).toEqual([1, 1, 1, 1]);
  });

  it('an action waits for its mark in the status for some seconds, and then does without', async () => {
    const world = createWorld(planWith({ rules: [restartRule()] }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    world.faults.reportStatus = away;
    world.says(health('unhealthy'));
    const fired = await until('it fired', () =>
      world.all('event').find(({ record }) => record.reason === 'TriggerFired'),
    );
    const begin = await until('it acted', () => world.all('begin')[0]);
    expect(begin.at - fired.at).toBeGreaterThan(3_000);
    world.faults = {};
    await until('the status has it', () => lastOutcome(world));
    expect(world.all('begin')).toHaveLength(1);
    await life.end();
  });
});

describe('a rule that fires faster than its action ends', () => {
  it('has one under way, and one for the last change that it could not fire for', async () => {
    const changed = restartRule({ trigger: { field: 'application.health', condition: 'changed' } });
    const world = createWorld(planWith({ intervalMs: 100, rules: [changed] }));
    const hold = Promise.withResolvers<undefined>();
    world.faults = { action: () => hold.promise };
    world.says(health('h0'));
    const life = await env.live(world);
    await until('it was seen', () => world.all('status').length > 0);
    for (let i = 1; i <= 4; i += 1) {
      const looks = world.all('look').length;
      world.says(health(`h${i}`));
      await until('two more looks', () => world.all('look').length >= looks + 2);
    }
    await until('it is told to be busy', () =>
      world.all('event').some(({ record }) => record.message.includes('(Busy)')),
    );
    expect(world.all('begin')).toHaveLength(1);
    hold.resolve(undefined);
    await until('the one that was held back is done', () => world.all('end').length === 2);
    await life.end();
    expect(world.all('begin').map(({ request: { oldValue, newValue } }) => [oldValue, newValue])).toEqual([
      ['h0', 'h1'],
      ['h3', 'h4'],
    ]);
  });
});
