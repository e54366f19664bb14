import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { failureOf } from '../../../src/domain/failure.ts';
import type { CurrentState, TurnSummary } from '../../../src/workflows/messages.ts';
import { searchAttributes } from '../../../src/workflows/search-attributes.ts';
import { until } from '../../support/until.ts';
import { type Life, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';
import { createWorld, health, holdNextLook, planWith, restartRule, uidOf, type World } from '../../support/world.ts';

const hourMs = 3_600_000;
let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** A workflow that has observed its app and said so. */
async function watched(world: World): Promise<Life> {
  const life = await env.live(world);
  await until('it is watched', () => world.all('status').length > 0);
  return life;
}

const pollNow = ({ handle }: Life) => handle.executeUpdate<TurnSummary, []>('pollNow');
const currentState = ({ handle }: Life) => handle.query<CurrentState, []>('currentState');

/** Why an update was refused. */
const refusal = (update: Promise<unknown>) =>
  update.then(
    () => undefined,
    (error: unknown) => (error instanceof WorkflowUpdateFailedError ? error.cause : error),
  );

describe('pollNow', () => {
  it('polls at once and answers with what was seen', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }), 2);
    const life = await watched(world);
    world.pods.set(uidOf(0), {
      name: 'my-app-0',
      state: null,
      failure: failureOf('ConnectFailed', 'connection refused'),
    });
    expect(await pollNow(life)).toEqual({ matched: 2, observed: 1, unreachable: 1, failing: 0, phase: 'Monitoring' });
    await life.end();
  });

  it('that comes during a poll answers with a later one', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await watched(world);
    const look = holdNextLook(world);
    await life.handle.signal('resourceChanged');
    await until('a look is under way', () => look.isUnderWay);
    const update = await life.handle.startUpdate<TurnSummary, []>('pollNow', { waitForStage: 'ACCEPTED' });
    world.says(health('healthy'), uidOf(1));
    look.release();
    expect(await update.result()).toMatchObject({ matched: 2 });
    await life.end();
  });

  it('is answered when the object goes meanwhile', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await watched(world);
    world.isDeleted = true;
    expect(await pollNow(life)).toMatchObject({ phase: 'Monitoring' });
    await life.handle.result();
  });
});

describe('suspend and resume', () => {
  it('stop polling and acting, and take that back; what changed meanwhile is told then', async () => {
    const world = createWorld(planWith({ intervalMs: 100, rules: [restartRule()] }));
    const life = await watched(world);
    expect(await life.handle.executeUpdate('suspend')).toBe('Suspended');
    const looks = world.all('look').length;
    world.says(health('unhealthy'));
    await life.handle.signal('resourceChanged');
    await until('it looked at the object', () => world.all('look').length === looks + 1);
    expect(world.all('look').at(-1)?.input.held).toBe(true);
    await until('the status says so', () => world.all('status').at(-1)?.status['phase'] === 'Suspended');
    expect(world.all('look')).toHaveLength(looks + 1);
    expect(world.reasons()).not.toContain('StateChanged');
    expect(await life.handle.executeUpdate('resume')).toBe('Monitoring');
    await until('it acted', () => world.all('end').length === 1);
    // Whether the look that finds it resumed is the one that finds the change is a matter of moments.
    expect(world.reasons().filter((reason) => reason !== 'Resumed')).toEqual([
      'MonitoringStarted',
      'Suspended',
      'StateChanged',
      'TriggerFired',
    ]);
    expect(world.reasons().lastIndexOf('Resumed')).toBeGreaterThan(world.reasons().indexOf('Suspended'));
    await life.end();
  });

  it('while a poll is under way leaves its changes to be told after resume', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await watched(world);
    const look = holdNextLook(world);
    world.says(health('unhealthy'));
    await life.handle.signal('resourceChanged');
    await until('a look is under way', () => look.isUnderWay);
    const update = await life.handle.startUpdate<string, []>('suspend', { waitForStage: 'ACCEPTED' });
    look.release();
    expect(await update.result()).toBe('Suspended');
    await life.handle.executeUpdate('resume');
    await until('it is told', () => world.reasons().includes('StateChanged'));
    await life.end();
  });

  it.each([
    { update: 'resume', while: 'nothing is suspended', type: 'NothingToDo', plan: {} },
    { update: 'pollNow', while: 'the spec suspends', type: 'Suspended', plan: { suspend: true } },
  ])('$update is refused while $while', async ({ update, type, plan }) => {
    const world = createWorld(planWith({ intervalMs: hourMs, ...plan }));
    const life = await watched(world);
    expect(await refusal(life.handle.executeUpdate(update))).toMatchObject({ type });
    await life.end();
  });

  it('suspend is refused when it was said already, and so is pollNow then', async () => {
    const life = await watched(createWorld(planWith({ intervalMs: hourMs })));
    await life.handle.executeUpdate('suspend');
    expect(await refusal(life.handle.executeUpdate('suspend'))).toMatchObject({ type: 'NothingToDo' });
    expect(await refusal(pollNow(life))).toMatchObject({ type: 'Suspended' });
    await life.end();
  });

  it('suspendUntil ends by itself', async () => {
    const suspendUntil = Date.now() + 10_000;
    const world = createWorld(planWith({ intervalMs: hourMs, suspendUntil }));
    const life = await watched(world);
    expect(world.all('status')[0]?.status['phase']).toBe('Suspended');
    await until('it polled', () => world.all('look').some(({ told }) => told.readings));
    expect(Date.now()).toBeGreaterThanOrEqual(suspendUntil);
    await until('it says so', () => world.reasons().includes('Resumed'));
    await life.end();
  });
});

describe('what is shown of a workflow', () => {
  it('currentState is the status, the next poll, and what runs', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const gate = Promise.withResolvers<undefined>();
    world.faults.action = () => gate.promise;
    world.says(health('unhealthy'));
    const life = await watched(world);
    const { request } = await until('it acts', () => world.all('begin')[0]);
    const state = await currentState(life);
    expect(state.status).toMatchObject({ phase: 'Monitoring', pods: { matched: 1, observed: 1, unreachable: 0 } });
    expect(Date.parse(state.nextPoll)).toBeGreaterThan(Date.now());
    expect(state.runningActions).toEqual([request.id]);
    gate.resolve(undefined);
    await life.end();
  });

  it('search attributes say phase and readiness, and follow them', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await watched(world);
    const attributes = async () => {
      const { typedSearchAttributes } = await life.handle.describe();
      return Object.fromEntries(
        Object.entries(searchAttributes).map(([name, key]) => [name, typedSearchAttributes.get(key)]),
      );
    };
    expect(await attributes()).toEqual({
      kind: 'TargetApp',
      name: 'my-app',
      namespace: 'default',
      phase: 'Monitoring',
      ready: true,
    });
    world.plan = planWith({ generation: 2, problems: [{ field: 'spec.stateQuery', message: 'does not parse' }] });
    await life.handle.signal('resourceChanged');
    await until('it says Failed', async () => (await attributes())['phase'] === 'Failed');
    expect(await attributes()).toMatchObject({ ready: false });
    const told = await until('it is told', () =>
      world.all('event').find(({ record }) => record.reason === 'InvalidSpec'),
    );
    expect(told.record).toMatchObject({ type: 'Warning', message: 'spec.stateQuery: does not parse' });
    await life.end();
  });

  it('current details tell the state, each pod, the next poll and open episodes; the summary what it is', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    world.says(health('unhealthy'));
    const life = await watched(world);
    const { currentDetails } = await life.handle.query<{ currentDetails: string }, []>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('**Monitoring**: 1 of 1 pods answer');
    // The Web UI shows a list as one only after an empty line.
    expect(currentDetails).toContain('\n\n- `my-app-7d4b9c-0`: answers');
    expect(currentDetails).toMatch(/Next poll \d{4}-/);
    expect(currentDetails).toContain('Open episodes:\n\n- **restart-unhealthy** on `my-app-7d4b9c-0` since');
    const description = await life.handle.describe();
    expect(await description.staticSummary()).toBe('TargetApp **default/my-app**');
    await life.end();
  });

  it('activities are named by what they do', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    world.says(health('unhealthy'));
    const life = await watched(world);
    await until('it acted', () => world.all('end').length === 1);
    await life.end();
    const text = (data: Uint8Array | null | undefined) => Buffer.from(data ?? []).toString();
    const summaries = (await life.history()).events
      ?.filter((event) => event.activityTaskScheduledEventAttributes)
      .map((event) => text(event.userMetadata?.summary?.data));
    expect(summaries).toContain('"poll"');
    expect(summaries).toContain(
      '"restart-unhealthy: application.health equals unhealthy on pod my-app-7d4b9c-0, so restart_pod"',
    );
  });
});
