import { failureOf } from '../../src/domain/failure.ts';
import type { CurrentState } from '../../src/workflows/messages.ts';
import { createFakeActivities, type FakeActivities, health, planWith, restartRule, uidOf } from './fake-activities.ts';
import { until } from './until.ts';
import type { Execution, WorkflowEnv } from './workflow-env.ts';

const hourMs = 3_600_000;
const away = () => {
  throw new Error('connect ECONNREFUSED');
};

/** Starts an app that is polled when something is said to it, and waits until it is watched. */
async function watched(env: WorkflowEnv, fakes: FakeActivities): Promise<Execution> {
  const execution = await env.start(fakes);
  await until('it is watched', () => fakes.all('status').length > 0);
  return execution;
}

const untilTold = (fakes: FakeActivities, reason: string) =>
  until(`${reason} is told`, () => fakes.reasons().includes(reason));

async function looksAgain({ handle, fakes }: Execution): Promise<void> {
  const looks = fakes.all('look').length;
  await handle.signal('resourceChanged');
  await until('it looked', () => fakes.all('look').length > looks);
}

/**
 * What a workflow of a TargetApp lives through, short: what the recorded histories are recorded from. Each plays its
 * part with a workflow and leaves it ended.
 */
export const scenarios: Record<string, (env: WorkflowEnv) => Promise<Execution>> = {
  'action-beside-deletion': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    fakes.says(health('unhealthy'));
    const execution = await watched(env, fakes);
    await until('it acts', () => fakes.all('begin').length > 0);
    const ended = execution.end();
    await until('it is gone', () => fakes.all('look').some(({ told }) => told.deleted));
    gate.resolve(undefined);
    await ended;
    return execution;
  },
  'action-lost': async (env) => {
    const rule = restartRule({ action: 'exec_command', repeatable: false });
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [rule] }));
    fakes.faults.loses = () => true;
    fakes.says(health('unhealthy'));
    const execution = await watched(env, fakes);
    await untilTold(fakes, 'ActionOutcomeUnknown');
    await execution.end();
    return execution;
  },
  'action-waits': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const wait = { status: 'waiting', reason: 'DisruptionBudget', message: 'not now', afterMs: 100 } as const;
    fakes.faults.action = async (_, calls) => (calls < 2 ? wait : undefined);
    fakes.says(health('unhealthy'));
    const execution = await watched(env, fakes);
    await untilTold(fakes, 'ActionSucceeded');
    await execution.end();
    return execution;
  },
  'actions-in-a-lane': async (env) => {
    const rules = [
      restartRule({ name: 'first' }),
      restartRule({ name: 'second', retries: 0 }),
      restartRule({ name: 'beside', action: 'webhook', onPods: false }),
    ];
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules }), 2);
    fakes.faults.action = async ({ rule }) => {
      if (rule === 'second') throw new Error('the receiver answers 503');
      return undefined;
    };
    const execution = await watched(env, fakes);
    for (const uid of fakes.pods.keys()) fakes.says(health('unhealthy'), uid);
    await looksAgain(execution);
    await until('all are told', () => fakes.reasons().filter((reason) => reason.startsWith('Action')).length === 6);
    await execution.end();
    return execution;
  },
  'api-server-away': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const execution = await watched(env, fakes);
    fakes.faults = { recordEvents: away, reportStatus: away };
    fakes.says(health('unhealthy'));
    await looksAgain(execution);
    await until('it acted all the same', () => fakes.all('end').length > 0);
    fakes.faults = {};
    await untilTold(fakes, 'ActionSucceeded');
    await execution.end();
    return execution;
  },
  'continue-as-new': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: 300, rules: [restartRule({ cooldownMs: hourMs })] }));
    fakes.says(health('unhealthy'));
    const execution = await watched(env, fakes);
    const runs = () => new Set(fakes.all('status').map(({ status }) => JSON.stringify(status['workflow']))).size;
    await until('a second run goes on', () => runs() > 1);
    fakes.says(health('healthy'));
    await untilTold(fakes, 'StateChanged');
    fakes.says(health('unhealthy'));
    await untilTold(fakes, 'TriggerSuppressed');
    await execution.end();
    return execution;
  },
  'edited-and-unreachable': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule({ forMs: 60_000 })] }), 2);
    const execution = await watched(env, fakes);
    const failure = failureOf('Timeout', 'no answer within 10 s');
    fakes.pods.set(uidOf(1), { name: 'my-app-1', state: null, failure });
    await looksAgain(execution);
    fakes.plan = planWith({
      intervalMs: hourMs,
      generation: 2,
      problems: [{ field: 'spec.stateQuery', message: 'does not parse' }],
    });
    await looksAgain(execution);
    fakes.plan = planWith({ intervalMs: hourMs, generation: 3 });
    fakes.pods.delete(uidOf(1));
    await looksAgain(execution);
    await until('it says so', () => fakes.all('status').at(-1)?.status['observedGeneration'] === 3);
    await execution.end();
    return execution;
  },
  'held-back-and-fired-again': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule({ paced: true })] }));
    const held = { status: 'refused', reason: 'Superseded', message: 'edited', undone: true } as const;
    fakes.faults.action = async (_, calls) => (calls === 0 ? held : undefined);
    fakes.says(health('unhealthy'));
    const execution = await watched(env, fakes);
    await untilTold(fakes, 'TriggerSuppressed');
    await looksAgain(execution);
    await untilTold(fakes, 'ActionSucceeded');
    fakes.pods.set(uidOf(1), { name: 'my-app-1', state: health('healthy') });
    fakes.pods.delete(uidOf(0));
    await looksAgain(execution);
    await untilTold(fakes, 'TriggerRecovered');
    await execution.end();
    return execution;
  },
  'polls-and-heartbeats': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: 700, heartbeatMs: 900 }), 3);
    const execution = await env.start(fakes);
    await until('three statuses stand there', () => fakes.all('status').length === 3);
    await execution.end();
    return execution;
  },
  'said-by-updates': async (env) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await watched(env, fakes);
    const { handle } = execution;
    await handle.executeUpdate('pollNow');
    await handle.executeUpdate('suspend');
    await handle.executeUpdate('pollNow').catch(() => undefined);
    await handle.query<CurrentState, []>('currentState');
    await handle.executeUpdate('resume');
    await execution.end();
    return execution;
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
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [rule] }));
    const unavailable = { status: 'waiting', reason: 'HTTPStatus', message: 'answered 503', afterMs: 0 } as const;
    let isAway = true;
    fakes.faults.action = async () => (isAway ? { ...unavailable, begun: true } : undefined);
    fakes.says(health('unhealthy'));
    const execution = await watched(env, fakes);
    await untilTold(fakes, 'ActionWaiting');
    fakes.says(health('healthy'));
    await looksAgain(execution);
    await untilTold(fakes, 'TriggerRecovered');
    isAway = false;
    await execution.handle.executeUpdate('redeliver');
    await until('both are taken', () => fakes.all('end').filter(({ request }) => request.recovery === 0).length === 1);
    await until('both are told', () => fakes.reasons().filter((reason) => reason === 'ActionSucceeded').length >= 1);
    await execution.end();
    return execution;
  },
};
