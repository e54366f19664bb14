import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ActionRequest } from '../../../src/domain/target-app/action.ts';
import type { CompiledAction, CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import {
  createFakeActivities,
  type FakeActivities,
  health,
  planWith,
  restartRule,
  uidOf,
} from '../../support/fake-activities.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv({ 'limit.historyCount.suggestContinueAsNew': 70 });
}, 600_000);
afterAll(() => env.stop());

const delivery: CompiledAction = {
  action: 'webhook',
  content: 'up',
  timeoutMs: 45_000,
  retries: 0,
  repeatable: true,
  onPods: false,
  receiver: 'r1',
  deliverForMs: 86_400_000,
};
/** A rule that tells a receiver of an unhealthy pod, and of its recovery. */
const tell = (replaced: Partial<CompiledRule> = {}): CompiledRule =>
  restartRule({ name: 'tell', ...delivery, content: 'down', onRecovery: [delivery], ...replaced });
const unavailable = {
  status: 'waiting',
  reason: 'HTTPStatus',
  message: 'answered 503',
  afterMs: 0,
  begun: true,
} as const;
const delivered = ({ ledger }: FakeActivities): ActionRequest[] =>
  ledger.flatMap((it) => (it.kind === 'end' ? [it.request] : []));

/** An app that is unhealthy, whose receiver is away until it is said to be back; what it took, in order. */
async function withReceiver(rule: CompiledRule, intervalMs = 100) {
  const fakes = createFakeActivities(planWith({ intervalMs, rules: [rule] }));
  const receiver = { isAway: true, taken: [] as string[] };
  fakes.faults.action = async (request) => {
    if (receiver.isAway) return unavailable;
    receiver.taken.push(request.id);
    return undefined;
  };
  fakes.says(health('unhealthy'));
  return { execution: await env.start(fakes), fakes, receiver };
}

const lastStatus = (fakes: FakeActivities) => fakes.all('status').at(-1)?.status ?? {};
const healthyActions = (fakes: FakeActivities): string =>
  (lastStatus(fakes)['conditions'] as { type: string; status: string; message: string }[] | undefined)
    ?.filter(({ type }) => type === 'ActionsHealthy')
    .map(({ status, message }) => `${status} ${message}`)[0] ?? '';

describe('a webhook whose receiver is away', () => {
  it('is sent again under one id until it is taken, and in the order in which it was decided', async () => {
    const { execution, fakes, receiver } = await withReceiver(tell());
    await until('it was sent twice', () => fakes.all('begin').length >= 2);
    await until('the status says that it waits', () =>
      healthyActions(fakes).startsWith('False tell: not delivered yet'),
    );
    fakes.says(health('healthy'));
    await until('the end is decided', () => fakes.reasons().includes('TriggerRecovered'));
    fakes.says(health('unhealthy'));
    await until(
      'the second episode is decided',
      () => fakes.counted.filter((it) => it === 'fired webhook').length === 2,
    );
    // Nothing overtakes the first, however often it is sent.
    expect(new Set(fakes.all('begin').map(({ request }) => request.id)).size).toBe(1);
    receiver.isAway = false;
    await until('all three are taken', () => receiver.taken.length === 3);
    await until('the status is well', () => healthyActions(fakes).startsWith('True'));
    await execution.end();
    const [down, up, again] = receiver.taken;
    expect(up).toMatch(/:r0$/);
    expect(down).not.toMatch(/:r0$/);
    expect(again).not.toBe(down);
    expect(fakes.reasons().filter((reason) => reason === 'ActionSucceeded')).toHaveLength(3);
  });

  it('holds up neither polls, nor the hand-on to another run, which goes on with it', async () => {
    const { execution, fakes, receiver } = await withReceiver(tell());
    await until('it was sent', () => fakes.all('begin')[0]);
    const runs = new Set<string>();
    await until(
      'three runs have gone on with it',
      async () => runs.add((await execution.handle.describe()).runId).size >= 3,
      { timeoutMs: 180_000 },
    );
    await execution.handle.executeUpdate('redeliver');
    receiver.isAway = false;
    await until('it is taken', () => receiver.taken.length === 1, { timeoutMs: 180_000 });
    await execution.end();
    expect(new Set(fakes.all('begin').map(({ request }) => request.id)).size).toBe(1);
  });

  it('ends with its TargetApp, and says that it was not delivered', async () => {
    const { execution, fakes, receiver } = await withReceiver(tell());
    await until('it waits', () => healthyActions(fakes).startsWith('False'));
    const sinceDeleted = startStopwatch();
    await execution.end();
    expect(sinceDeleted.stop()).toBeLessThan(30_000);
    expect(
      fakes
        .all('event')
        .map(({ record }) => record.message)
        .join('\n'),
    ).toContain('the TargetApp was deleted before it was done; the last attempt: answered 503');
    expect(receiver.taken).toEqual([]);
  });

  it('is kept when it could not be delivered in time, and sent again by the update redeliver', async () => {
    const { execution, fakes, receiver } = await withReceiver(tell({ deliverForMs: 1_500, onRecovery: [] }));
    await until('it was given up', () => (lastStatus(fakes)['undelivered'] as unknown[] | undefined)?.length === 1);
    const [kept] = lastStatus(fakes)['undelivered'] as { actionId: string; rule: string }[];
    expect(kept).toMatchObject({ rule: 'tell', actionId: fakes.all('begin')[0]?.request.id });
    await expect(execution.handle.executeUpdate('redeliver', { args: ['another'] })).rejects.toThrow();
    receiver.isAway = false;
    expect(await execution.handle.executeUpdate('redeliver', { args: [kept?.actionId] })).toEqual([kept?.actionId]);
    await until('it is taken', () => receiver.taken.length === 1);
    await until('the status keeps it no longer', () => lastStatus(fakes)['undelivered'] === undefined);
    expect(receiver.taken).toEqual([kept?.actionId]);
    await execution.end();
  });

  it('waits while its TargetApp is suspended, and goes on afterwards', async () => {
    const { execution, fakes, receiver } = await withReceiver(tell());
    await until('it was sent', () => fakes.all('begin')[0]);
    await execution.handle.executeUpdate('suspend');
    receiver.isAway = false;
    const calls = fakes.all('begin').length;
    await expect(execution.handle.executeUpdate('pollNow')).rejects.toThrow();
    expect(fakes.all('begin').length).toBeLessThanOrEqual(calls + 1);
    await execution.handle.executeUpdate('resume');
    await until('it is taken', () => receiver.taken.length === 1);
    await execution.end();
  });
});

describe('the end of an incident', () => {
  it('is told when the pod that was ill has been replaced by one that is well', async () => {
    const rules = [restartRule({ paced: true }), tell({ action: 'webhook', onRecovery: [delivery] })];
    const fakes = createFakeActivities(planWith({ rules }));
    fakes.faults.action = async ({ action }) => {
      if (action !== 'restart_pod') return undefined;
      fakes.pods.delete(uidOf(0));
      fakes.pods.set(uidOf(9), { name: 'my-app-new', state: health('healthy') });
      return undefined;
    };
    fakes.says(health('unhealthy'));
    const execution = await env.start(fakes);
    await until('the recovery is told', () => delivered(fakes).some(({ recovery }) => recovery === 0));
    await execution.end();
    const told = delivered(fakes).filter(({ action }) => action === 'webhook');
    expect(told.map(({ recovery }) => recovery)).toEqual([undefined, 0]);
    expect(told[1]).toMatchObject({ pods: [{ name: 'my-app-7d4b9c-0' }], newValue: 'healthy' });
  });

  it('waits while its TargetApp is suspended, and is seen to afterwards: no rule would decide it again', async () => {
    const { deliverForMs: _, receiver: __, ...scale } = { ...delivery, action: 'scale_deployment' };
    const rules = [tell({ onRecovery: [scale] })];
    const fakes = createFakeActivities(planWith({ rules }));
    const notNow = { status: 'waiting', reason: 'DisruptionBudget', message: 'not now', afterMs: 500 } as const;
    fakes.faults.action = async ({ recovery }) => (recovery === undefined ? undefined : notNow);
    fakes.says(health('unhealthy'));
    const execution = await env.start(fakes);
    await until('it is told that it is ill', () => delivered(fakes).length === 1);
    fakes.says(health('healthy'));
    await until('it waits', () => fakes.reasons().includes('ActionWaiting'));
    await execution.handle.executeUpdate('suspend');
    const begun = fakes.all('begin').length;
    fakes.faults = {};
    await execution.handle.executeUpdate('resume');
    await until('both are done', () => fakes.reasons().filter((reason) => reason === 'ActionSucceeded').length === 2);
    expect(fakes.all('begin').length).toBe(begun + 1);
    await execution.end();
  });
});
