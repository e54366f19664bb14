import { failureOf } from '../../src/domain/failure.ts';
import type { CurrentState } from '../../src/workflows/messages.ts';
import { until } from './until.ts';
import type { Life, WorkflowEnv } from './workflow-env.ts';
import { createWorld, health, planWith, restartRule, uidOf, type World } from './world.ts';

const hourMs = 3_600_000;
const away = () => {
  throw new Error('connect ECONNREFUSED');
};

/** Starts an app that is polled when something is said to it, and waits until it is watched. */
async function watched(env: WorkflowEnv, world: World): Promise<Life> {
  const life = await env.live(world);
  await until('it is watched', () => world.all('status').length > 0);
  return life;
}

const untilTold = (world: World, reason: string) => until(`${reason} is told`, () => world.reasons().includes(reason));

async function looksAgain({ handle, world }: Life): Promise<void> {
  const looks = world.all('look').length;
  await handle.signal('resourceChanged');
  await until('it looked', () => world.all('look').length > looks);
}

/**
 * What a workflow of a TargetApp lives through, short: what the recorded histories are recorded from. Each plays its
 * part with a workflow and leaves it ended.
 */
export const scenarios: Record<string, (env: WorkflowEnv) => Promise<Life>> = {
  'action-beside-deletion': async (env) => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const gate = Promise.withResolvers<undefined>();
    world.faults.action = () => gate.promise;
    world.says(health('unhealthy'));
    const life = await watched(env, world);
    await until('it acts', () => world.all('begin').length > 0);
    const ended = life.end();
    await until('it is gone', () => world.all('look').some(({ told }) => told.deleted));
    gate.resolve(undefined);
    await ended;
    return life;
  },
  'action-lost': async (env) => {
    const rule = restartRule({ action: 'exec_command', repeatable: false });
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [rule] }));
    world.faults.loses = () => true;
    world.says(health('unhealthy'));
    const life = await watched(env, world);
    await untilTold(world, 'ActionOutcomeUnknown');
    await life.end();
    return life;
  },
  'action-waits': async (env) => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const wait = { status: 'waiting', reason: 'DisruptionBudget', message: 'not now', afterMs: 100 } as const;
    world.faults.action = async (_, calls) => (calls < 2 ? wait : undefined);
    world.says(health('unhealthy'));
    const life = await watched(env, world);
    await untilTold(world, 'ActionSucceeded');
    await life.end();
    return life;
  },
  'actions-in-a-lane': async (env) => {
    const rules = [
      restartRule({ name: 'first' }),
      restartRule({ name: 'second', retries: 0 }),
      restartRule({ name: 'beside', action: 'webhook', onPods: false }),
    ];
    const world = createWorld(planWith({ intervalMs: hourMs, rules }), 2);
    world.faults.action = async ({ rule }) => {
      if (rule === 'second') throw new Error('the receiver answers 503');
      return undefined;
    };
    const life = await watched(env, world);
    for (const uid of world.pods.keys()) world.says(health('unhealthy'), uid);
    await looksAgain(life);
    await until('all are told', () => world.reasons().filter((reason) => reason.startsWith('Action')).length === 6);
    await life.end();
    return life;
  },
  'api-server-away': async (env) => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const life = await watched(env, world);
    world.faults = { recordEvents: away, reportStatus: away };
    world.says(health('unhealthy'));
    await looksAgain(life);
    await until('it acted all the same', () => world.all('end').length > 0);
    world.faults = {};
    await untilTold(world, 'ActionSucceeded');
    await life.end();
    return life;
  },
  'continue-as-new': async (env) => {
    const world = createWorld(planWith({ intervalMs: 300, rules: [restartRule({ cooldownMs: hourMs })] }));
    world.says(health('unhealthy'));
    const life = await watched(env, world);
    const runs = () => new Set(world.all('status').map(({ status }) => JSON.stringify(status['workflow']))).size;
    await until('a second run goes on', () => runs() > 1);
    world.says(health('healthy'));
    await untilTold(world, 'StateChanged');
    world.says(health('unhealthy'));
    await untilTold(world, 'TriggerSuppressed');
    await life.end();
    return life;
  },
  'edited-and-unreachable': async (env) => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule({ forMs: 60_000 })] }), 2);
    const life = await watched(env, world);
    const failure = failureOf('Timeout', 'no answer within 10 s');
    world.pods.set(uidOf(1), { name: 'my-app-1', state: null, failure });
    await looksAgain(life);
    world.plan = planWith({
      intervalMs: hourMs,
      generation: 2,
      problems: [{ field: 'spec.stateQuery', message: 'does not parse' }],
    });
    await looksAgain(life);
    world.plan = planWith({ intervalMs: hourMs, generation: 3 });
    world.pods.delete(uidOf(1));
    await looksAgain(life);
    await until('it says so', () => world.all('status').at(-1)?.status['observedGeneration'] === 3);
    await life.end();
    return life;
  },
  'held-back-and-fired-again': async (env) => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule({ paced: true })] }));
    const held = { status: 'refused', reason: 'Superseded', message: 'edited', undone: true } as const;
    world.faults.action = async (_, calls) => (calls === 0 ? held : undefined);
    world.says(health('unhealthy'));
    const life = await watched(env, world);
    await untilTold(world, 'TriggerSuppressed');
    await looksAgain(life);
    await untilTold(world, 'ActionSucceeded');
    world.pods.set(uidOf(1), { name: 'my-app-1', state: health('healthy') });
    world.pods.delete(uidOf(0));
    await looksAgain(life);
    await untilTold(world, 'TriggerRecovered');
    await life.end();
    return life;
  },
  'polls-and-heartbeats': async (env) => {
    const world = createWorld(planWith({ intervalMs: 700, heartbeatMs: 900 }), 3);
    const life = await env.live(world);
    await until('three statuses stand there', () => world.all('status').length === 3);
    await life.end();
    return life;
  },
  'said-by-updates': async (env) => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await watched(env, world);
    const { handle } = life;
    await handle.executeUpdate('pollNow');
    await handle.executeUpdate('suspend');
    await handle.executeUpdate('pollNow').catch(() => undefined);
    await handle.query<CurrentState, []>('currentState');
    await handle.executeUpdate('resume');
    await life.end();
    return life;
  },
  'webhooks-in-order': async (env) => {
    const webhook = {
      action: 'webhook',
      content: 'told',
      timeoutMs: 45_000,
      retries: 3,
      repeatable: true,
      onPods: false,
      receiver: 'r1',
      deliverForMs: hourMs,
    };
    const rule = restartRule({ name: 'tell', ...webhook, onRecovery: [{ ...webhook, content: 'over' }] });
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [rule] }));
    const unavailable = { status: 'waiting', reason: 'HTTPStatus', message: 'answered 503', afterMs: 0 } as const;
    let isAway = true;
    world.faults.action = async () => (isAway ? { ...unavailable, begun: true } : undefined);
    world.says(health('unhealthy'));
    const life = await watched(env, world);
    await untilTold(world, 'ActionWaiting');
    world.says(health('healthy'));
    await looksAgain(life);
    await untilTold(world, 'TriggerRecovered');
    isAway = false;
    await life.handle.executeUpdate('redeliver');
    await until('both are taken', () => world.all('end').filter(({ request }) => request.recovery === 0).length === 1);
    await until('both are told', () => world.reasons().filter((reason) => reason === 'ActionSucceeded').length >= 1);
    await life.end();
    return life;
  },
};
