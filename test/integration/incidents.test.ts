import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
let operator: OperatorInside;
beforeAll(async () => {
  world = await startWorld();
  operator = await world.operate({ KCO_ENABLED_ACTIONS: 'exec_command,restart_pod,scale_deployment,webhook' });
}, 900_000);
afterAll(() => world?.stop());

const down = { health: 'unhealthy' } as const;
const up = { health: 'healthy' } as const;
const tell = (path: string, more: object = {}) => ({
  trigger: whenUnhealthy,
  action: 'webhook',
  parameters: { url: world.receiver.url(path), payload: { text: 'down' }, ...more },
});
const keysAt = (path: string): unknown[] =>
  world.receiver.deliveries(path).map(({ headers }) => headers['idempotency-key']);
const textsAt = (path: string): string[] =>
  world.receiver.deliveries(path).map(({ body }) => (JSON.parse(body) as { text: string }).text);
const conditionOf = (name: string, type: string) =>
  world.targetApp(name)?.status?.conditions?.find((condition) => condition.type === type);

describe('the end of an incident', () => {
  it('is told when a replacement of the pod that was restarted is well', async () => {
    const [pod] = await world.runApp('replaced', 2);
    const onRecovery = [
      {
        action: 'webhook',
        parameters: { url: world.receiver.url('/replaced'), payload: { text: 'over: {{pod_name}} is {{new_value}}' } },
      },
    ];
    await world.monitor('replaced', { actions: [{ trigger: whenUnhealthy, action: 'restart_pod', onRecovery }] });
    world.says(pod, down);
    await until('the end is told', () => world.receiver.deliveries('/replaced').length === 1);
    expect(await world.deletedPods('replaced', 1)).toEqual([pod?.metadata.name]);
    expect(textsAt('/replaced')).toEqual([`over: ${pod?.metadata.name} is healthy`]);
    await world.event('replaced', 'TriggerRecovered', 'is over');
    await world.deleteApp('replaced');
  });
});

describe('rules without a name', () => {
  it('go on with their episodes when one is inserted above them', async () => {
    const [pod] = await world.runApp('inserted');
    await world.monitor('inserted', { actions: [tell('/old')] });
    world.says(pod, down);
    await until('it is told', () => world.receiver.deliveries('/old').length === 1);
    await world.monitor('inserted', { actions: [tell('/new'), tell('/old')] });
    await until('the new one is told', () => world.receiver.deliveries('/new').length === 1);
    const polls = () => world.app.requests(pod?.status?.podIP);
    const before = polls();
    await until('it is polled on', () => polls() > before + 3);
    expect(world.receiver.deliveries('/old')).toHaveLength(1);
    await world.deleteApp('inserted');
  });
});

describe('a webhook', () => {
  it('is delivered when its receiver is back, under one key, and before what is told later', async () => {
    const [pod] = await world.runApp('outage');
    world.receiver.answer('/outage', ...Array.from({ length: 4 }, () => 503));
    const onRecovery = [
      { action: 'webhook', parameters: { url: world.receiver.url('/outage'), payload: { text: 'up' } } },
    ];
    await world.monitor('outage', { actions: [{ ...tell('/outage'), onRecovery }] });
    world.says(pod, down);
    await until('it was tried', () => world.receiver.deliveries('/outage').length >= 1);
    world.says(pod, up);
    await until('the condition says so', () => conditionOf('outage', 'ActionsHealthy')?.status === 'False');
    expect(conditionOf('outage', 'Ready')?.message).toContain('not delivered yet');
    await until('both have arrived', () => textsAt('/outage').includes('up'));
    expect(textsAt('/outage')).toEqual(['down', 'down', 'down', 'down', 'down', 'up']);
    expect(new Set(keysAt('/outage').slice(0, 5)).size).toBe(1);
    await until('the condition has forgotten it', () => conditionOf('outage', 'ActionsHealthy')?.status === 'True');
    await world.deleteApp('outage');
  });

  it('that its receiver does not want for a day ends with its TargetApp at once', async () => {
    const [pod] = await world.runApp('unwanted');
    world.receiver.answer('/unwanted', ...Array.from({ length: 50 }, () => 503));
    const watched = await world.monitor('unwanted', { actions: [tell('/unwanted')] });
    world.says(pod, down);
    await until('it was tried', () => world.receiver.deliveries('/unwanted').length >= 1);
    await world.deleteApp('unwanted');
    await until('its workflow ends', async () => (await world.workflowStatus(watched)) === 'COMPLETED');
  });

  it('that was given up stands in the status, and is sent again under its key by an update', async () => {
    const [pod] = await world.runApp('given-up');
    world.receiver.answer('/given-up', 404);
    const watched = await world.monitor('given-up', { actions: [tell('/given-up')] });
    world.says(pod, down);
    const undelivered = () =>
      (world.targetApp('given-up')?.status as { undelivered?: { actionId: string }[] } | undefined)?.undelivered;
    await until('it is kept', () => undelivered()?.length === 1);
    const [key] = keysAt('/given-up');
    expect(undelivered()).toMatchObject([{ rule: 'webhook-0', actionId: key }]);
    const handle = world.temporal.workflow.getHandle(world.workflowId(watched));
    expect(await handle.executeUpdate('redeliver')).toEqual([key]);
    await until('it is not kept any longer', () => undelivered() === undefined);
    expect(keysAt('/given-up')).toEqual([key, key]);
    await world.deleteApp('given-up');
  });
});

describe('an action that has to wait for another one', () => {
  it('says so in the status and in an Event', async () => {
    const [pod] = await world.runApp('hanging');
    const hang = { trigger: whenUnhealthy, action: 'exec_command', parameters: { command: ['sleep', '15'] } };
    await world.monitor('hanging', { actions: [hang, { trigger: whenUnhealthy, action: 'restart_pod' }] });
    world.says(pod, down);
    await world.event('hanging', 'ActionWaiting', 'exec_command of exec_command-0 has not ended yet');
    const waiting = () =>
      (world.targetApp('hanging')?.status?.rules as { waiting?: { reason: string }[] }[] | undefined)?.[1]?.waiting;
    await until('the status says so', () => waiting()?.[0]?.reason === 'Waiting');
    await world.deletedPods('hanging', 1);
    await world.deleteApp('hanging');
  });
});

describe('an action that may have begun', () => {
  it('does not come again under another key when its rule is edited meanwhile', async () => {
    const [pod] = await world.runApp('edited');
    world.receiver.answer('/edited-old', 503);
    const actions = (path: string) => [tell('/first'), { ...tell(path), name: 'second' }];
    await world.monitor('edited', { actions: actions('/edited-old') });
    await operator.ready();
    world.says(pod, down);
    await until('it was tried', () => world.receiver.deliveries('/edited-old').length >= 1);
    // It may have begun: what is told elsewhere now would be told twice.
    await world.monitor('edited', { actions: actions('/edited-new') });
    await until('it has ended', () => world.targetApp('edited')?.status?.rules?.[1]?.lastOutcome !== undefined);
    const polls = () => world.app.requests(pod?.status?.podIP);
    const before = polls();
    await until('it is polled on', () => polls() > before + 3);
    expect(world.receiver.deliveries('/edited-new')).toEqual([]);
    expect(world.receiver.deliveries('/first')).toHaveLength(1);
    await world.deleteApp('edited');
  });
});

describe('whoever can schedule an activity', () => {
  it('gets nothing done that the TargetApp does not say, nor to pods that it does not select', async () => {
    const [mine] = await world.runApp('mine');
    const [other] = await world.runApp('other');
    const watched = await world.monitor('mine', { actions: [{ trigger: whenUnhealthy, action: 'restart_pod' }] });
    const rule = (world.targetApp('mine')?.status?.rules as { digest: string }[] | undefined)?.[0];
    const content = rule?.digest.split('-')[1] ?? '';
    const forged = (fields: object) => ({
      id: 'forged',
      namespace: 'default',
      name: 'mine',
      uid: watched.metadata.uid,
      generation: watched.metadata.generation,
      rule: 'restart_pod-0',
      content,
      action: 'restart_pod',
      pods: [{ uid: other?.metadata.uid, name: other?.metadata.name }],
      at: Date.now(),
      dryRun: false,
      ...fields,
    });
    const asked: [object, string][] = [
      [{}, 'NotSelected'],
      [{ pods: [{ name: mine?.metadata.name }] }, 'NotSelected'],
      [{ content: '00000000' }, 'NotInSpec'],
      [{ namespace: 'kube-system' }, 'Deleted'],
      [{ name: 'other' }, 'Deleted'],
      [{ uid: '00000000-0000-0000-0000-000000000000' }, 'Deleted'],
    ];
    const { address, namespace } = world.servers.temporal;
    const connection = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: 'somebody-else',
      workflowsPath: fileURLToPath(new URL('../support/forged-workflow.ts', import.meta.url)),
    });
    await worker.runUntil(async () => {
      for (const [index, [fields, reason]] of asked.entries()) {
        const outcome = await world.temporal.workflow.execute('forged', {
          workflowId: `forged-${index}`,
          taskQueue: 'somebody-else',
          args: ['restart_pod', 'kco-actions', forged(fields)],
        });
        expect([reason, outcome]).toMatchObject([reason, { status: 'refused', reason }]);
      }
    });
    await connection.close();
    expect(await world.pods('mine')).toMatchObject([{ metadata: { uid: mine?.metadata.uid } }]);
    expect(await world.pods('other')).toMatchObject([{ metadata: { uid: other?.metadata.uid } }]);
    await world.deleteApp('mine');
  });
});
