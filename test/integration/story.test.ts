import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
let operator: OperatorInside;

beforeAll(async () => {
  world = await startWorld();
  operator = await world.operate();
}, 900_000);

afterAll(() => world?.stop(), 60_000);

const intervalMs = 1_000;

describe('an app that turns unhealthy', () => {
  it('is told in an Event, has that pod restarted and no other, and recovers', async () => {
    const [sick, well] = await world.runApp('whole', 2);
    const app = await world.monitor('whole', {
      actions: [{ name: 'restart-unhealthy', trigger: whenUnhealthy, action: 'restart_pod' }],
    });
    const waiting = world.kubectl(['wait', '--for=condition=Ready', 'targetapp/whole', '--timeout=30s']);
    expect(await waiting).toMatchObject({ code: 0, stdout: expect.stringContaining('condition met') });
    expect(app.status).toMatchObject({ phase: 'Monitoring', pods: { matched: 2, observed: 2, unreachable: 0 } });

    const changedAt = world.says(sick, { health: 'unhealthy' });
    const changed = await world.event('whole', 'StateChanged', 'from healthy to unhealthy');
    expect(changed).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining(sick?.metadata.name ?? ''),
      related: { kind: 'Pod', name: sick?.metadata.name, uid: sick?.metadata.uid },
    });
    expect(world.toldAt(changed) - changedAt).toBeLessThanOrEqual(intervalMs + 1_000);

    const deletion = await until('the sick pod is being deleted', () =>
      world.chronicle.pods.find(
        ({ type, object: { metadata } }) =>
          metadata.uid === sick?.metadata.uid && (type === 'deleted' || metadata.deletionTimestamp !== undefined),
      ),
    );
    expect(deletion.at - world.toldAt(changed)).toBeLessThanOrEqual(1_000);

    const fired = await world.event('whole', 'TriggerFired', 'restart-unhealthy');
    expect(fired).toMatchObject({ type: 'Normal', related: { name: sick?.metadata.name } });
    const succeeded = await world.event('whole', 'ActionSucceeded', 'restart_pod');
    expect(succeeded.message).toContain(sick?.metadata.name);

    const after = await world.pods('whole', 2);
    expect(after.map(({ metadata }) => metadata.uid)).toContain(well?.metadata.uid);
    expect(after.map(({ metadata }) => metadata.uid)).not.toContain(sick?.metadata.uid);
    const recovered = await until(
      'the status is about the new pods',
      () => {
        const { status } = world.targetApp('whole') ?? {};
        const shown = Object.keys(status?.state ?? {}).sort();
        return JSON.stringify(shown) === JSON.stringify(after.map(({ metadata }) => metadata.name).sort()) && status;
      },
      { instead: () => world.targetApp('whole')?.status },
    );
    expect(recovered).toMatchObject({
      phase: 'Monitoring',
      pods: { matched: 2, observed: 2, unreachable: 0 },
      lastChange: expect.stringMatching(/^\d{4}-/),
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'Ready', status: 'True' }),
        expect.objectContaining({ type: 'SourceReachable', status: 'True' }),
        expect.objectContaining({ type: 'ActionsHealthy', status: 'True' }),
        expect.objectContaining({ type: 'Stalled', status: 'False' }),
        expect.objectContaining({ type: 'Reconciling', status: 'False' }),
      ]),
      rules: [{ name: 'restart-unhealthy', lastFired: expect.any(String), lastOutcome: { status: 'succeeded' } }],
    });
    for (const values of Object.values(recovered.state ?? {}))
      expect(JSON.stringify(values)).not.toContain('unhealthy');
    expect(await world.deletedPods('whole', 1)).toEqual([sick?.metadata.name]);
    expect(await operator.metrics()).toMatch(
      /operator_kco_actions_executed_total\{type="restart_pod",status="succeeded"\} \d/,
    );
  });
});
