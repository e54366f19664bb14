import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
let operator: OperatorInside;

beforeAll(async () => {
  world = await startWorld();
  operator = await world.operate();
}, 900_000);

afterAll(() => world?.stop());

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

    const sinceChanged = startStopwatch();
    world.says(sick, { health: 'unhealthy' });
    const changed = await world.event('whole', 'StateChanged', 'from healthy to unhealthy');
    expect(sinceChanged.stop()).toBeLessThanOrEqual(intervalMs + 1_000);
    const sinceTold = startStopwatch();
    expect(changed).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining(sick?.metadata.name ?? ''),
      related: { kind: 'Pod', name: sick?.metadata.name, uid: sick?.metadata.uid },
    });
    await until('the sick pod is being deleted', () =>
      world.recorder.pods.find(
        ({ type, object: { metadata } }) =>
          metadata.uid === sick?.metadata.uid && (type === 'deleted' || metadata.deletionTimestamp !== undefined),
      ),
    );
    expect(sinceTold.stop()).toBeLessThanOrEqual(1_000);

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

describe('fields that a TargetApp exports', () => {
  const name = 'exporting';
  const seriesOf = async () =>
    (await operator.metrics())
      .split('\n')
      .filter((line) => line.startsWith('operator_kco_tapp_field') && line.includes(`tapp="${name}"`))
      .sort();
  const untilSeries = (what: string, wanted: string[]) =>
    until(`the series of ${name} ${what}`, async () => JSON.stringify(await seriesOf()) === JSON.stringify(wanted), {
      instead: seriesOf,
    });

  it('are metrics that follow what its pods say, rest while it is suspended, and go with it', async () => {
    const pods = await world.runApp(name, 2);
    const [pod = '', other = ''] = pods.map(({ metadata }) => metadata.name).sort();
    const spec = { metrics: ['application.pendingTasks', 'application.health', 'application.lastError'] };
    await world.monitor(name, spec);
    const of = (which: string, field: string) =>
      `namespace="default",tapp="${name}",pod="${which}",field="application.${field}"`;
    const series = (said: { tasks: number; health: string; withheld: number }) =>
      [
        `operator_kco_tapp_field_state{${of(pod, 'health')},state="${said.health}"} 1`,
        `operator_kco_tapp_field_state{${of(other, 'health')},state="healthy"} 1`,
        `operator_kco_tapp_field_value{${of(pod, 'pendingTasks')}} ${said.tasks}`,
        `operator_kco_tapp_field_value{${of(other, 'pendingTasks')}} 0`,
        `operator_kco_tapp_fields_withheld{namespace="default",tapp="${name}"} ${said.withheld}`,
      ].sort();

    await untilSeries('are those of the first poll', series({ tasks: 0, health: 'healthy', withheld: 0 }));
    const changing = pods.find(({ metadata }) => metadata.name === pod);
    world.says(changing, { pendingTasks: 42, health: 'degraded', lastError: 'x'.repeat(65) });
    await untilSeries('follow', series({ tasks: 42, health: 'degraded', withheld: 1 }));

    await world.watchApp(name, { ...spec, suspend: true });
    await untilSeries('rest', []);
    await world.watchApp(name, spec);
    await untilSeries('are back', series({ tasks: 42, health: 'degraded', withheld: 1 }));
    await world.deleteApp(name);
    await untilSeries('are gone', []);
  });
});
