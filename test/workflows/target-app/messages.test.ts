import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { failureOf } from '../../../src/domain/failure.ts';
import type { CurrentState, TurnSummary } from '../../../src/workflows/messages.ts';
import { searchAttributes } from '../../../src/workflows/search-attributes.ts';
import {
  createFakeActivities,
  type FakeActivities,
  health,
  holdNextLook,
  planWith,
  restartRule,
  uidOf,
} from '../../support/fake-activities.ts';
import { until } from '../../support/until.ts';
import { type Execution, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

const hourMs = 3_600_000;
let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** A workflow that has observed its app and said so. */
async function watched(fakes: FakeActivities): Promise<Execution> {
  const execution = await env.start(fakes);
  await until('it is watched', () => fakes.all('status').length > 0);
  return execution;
}

const pollNow = ({ handle }: Execution) => handle.executeUpdate<TurnSummary, []>('pollNow');
const currentState = ({ handle }: Execution) => handle.query<CurrentState, []>('currentState');

/** Why an update was refused. */
const refusal = (update: Promise<unknown>) =>
  update.then(
    () => undefined,
    (error: unknown) => (error instanceof WorkflowUpdateFailedError ? error.cause : error),
  );

describe('pollNow', () => {
  it('polls at once and answers with what was seen', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }), 2);
    const execution = await watched(fakes);
    fakes.pods.set(uidOf(0), {
      name: 'my-app-0',
      state: null,
      failure: failureOf('ConnectFailed', 'connection refused'),
    });
    expect(await pollNow(execution)).toEqual({
      matched: 2,
      observed: 1,
      unreachable: 1,
      failing: 0,
      phase: 'Monitoring',
    });
    await execution.end();
  });

  it('that comes during a poll answers with a later one', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await watched(fakes);
    const look = holdNextLook(fakes);
    await execution.handle.signal('resourceChanged');
    await until('a look is under way', () => look.isUnderWay);
    const update = await execution.handle.startUpdate<TurnSummary, []>('pollNow', { waitForStage: 'ACCEPTED' });
    fakes.says(health('healthy'), uidOf(1));
    look.release();
    expect(await update.result()).toMatchObject({ matched: 2 });
    await execution.end();
  });

  it('is answered when the object goes meanwhile', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await watched(fakes);
    fakes.isDeleted = true;
    expect(await pollNow(execution)).toMatchObject({ phase: 'Monitoring' });
    await execution.handle.result();
  });
});

describe('suspend and resume', () => {
  it('stop polling and acting, and take that back; what changed meanwhile is told then', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [restartRule()] }));
    const execution = await watched(fakes);
    expect(await execution.handle.executeUpdate('suspend')).toBe('Suspended');
    const looks = fakes.all('look').length;
    fakes.says(health('unhealthy'));
    await execution.handle.signal('resourceChanged');
    await until('it looked at the object', () => fakes.all('look').length === looks + 1);
    expect(fakes.all('look').at(-1)?.input.held).toBe(true);
    await until('the status says so', () => fakes.all('status').at(-1)?.status['phase'] === 'Suspended');
    expect(fakes.all('look')).toHaveLength(looks + 1);
    expect(fakes.reasons()).not.toContain('StateChanged');
    expect(await execution.handle.executeUpdate('resume')).toBe('Monitoring');
    await until('it acted', () => fakes.all('end').length === 1);
    // Whether the look that finds it resumed is the one that finds the change is a matter of moments.
    expect(fakes.reasons().filter((reason) => reason !== 'Resumed')).toEqual([
      'MonitoringStarted',
      'Suspended',
      'StateChanged',
      'TriggerFired',
    ]);
    expect(fakes.reasons().lastIndexOf('Resumed')).toBeGreaterThan(fakes.reasons().indexOf('Suspended'));
    await execution.end();
  });

  it('while a poll is under way leaves its changes to be told after resume', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await watched(fakes);
    const look = holdNextLook(fakes);
    fakes.says(health('unhealthy'));
    await execution.handle.signal('resourceChanged');
    await until('a look is under way', () => look.isUnderWay);
    const update = await execution.handle.startUpdate<string, []>('suspend', { waitForStage: 'ACCEPTED' });
    look.release();
    expect(await update.result()).toBe('Suspended');
    await execution.handle.executeUpdate('resume');
    await until('it is told', () => fakes.reasons().includes('StateChanged'));
    await execution.end();
  });

  it.each([
    { update: 'resume', while: 'nothing is suspended', type: 'NothingToDo', plan: {} },
    { update: 'pollNow', while: 'the spec suspends', type: 'Suspended', plan: { suspend: true } },
  ])('$update is refused while $while', async ({ update, type, plan }) => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, ...plan }));
    const execution = await watched(fakes);
    expect(await refusal(execution.handle.executeUpdate(update))).toMatchObject({ type });
    await execution.end();
  });

  it('suspend is refused when it was said already, and so is pollNow then', async () => {
    const execution = await watched(createFakeActivities(planWith({ intervalMs: hourMs })));
    await execution.handle.executeUpdate('suspend');
    expect(await refusal(execution.handle.executeUpdate('suspend'))).toMatchObject({ type: 'NothingToDo' });
    expect(await refusal(pollNow(execution))).toMatchObject({ type: 'Suspended' });
    await execution.end();
  });

  it('suspendUntil ends by itself', async () => {
    const suspendUntil = Date.now() + 10_000;
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, suspendUntil }));
    const execution = await watched(fakes);
    expect(fakes.all('status')[0]?.status['phase']).toBe('Suspended');
    await until('it polled', () => fakes.all('look').some(({ told }) => told.readings));
    expect(Date.now()).toBeGreaterThanOrEqual(suspendUntil);
    await until('it says so', () => fakes.reasons().includes('Resumed'));
    await execution.end();
  });
});

describe('what is shown of a workflow', () => {
  it('currentState is the status, the next poll, and what runs', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    fakes.says(health('unhealthy'));
    const execution = await watched(fakes);
    const { request } = await until('it acts', () => fakes.all('begin')[0]);
    const state = await currentState(execution);
    expect(state.status).toMatchObject({ phase: 'Monitoring', pods: { matched: 1, observed: 1, unreachable: 0 } });
    expect(Date.parse(state.nextPoll)).toBeGreaterThan(Date.now());
    expect(state.runningActions).toEqual([request.id]);
    gate.resolve(undefined);
    await execution.end();
  });

  it('search attributes say phase and readiness, and follow them', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await watched(fakes);
    const attributes = async () => {
      const { typedSearchAttributes } = await execution.handle.describe();
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
    fakes.plan = planWith({ generation: 2, problems: [{ field: 'spec.stateQuery', message: 'does not parse' }] });
    await execution.handle.signal('resourceChanged');
    await until('it says Failed', async () => (await attributes())['phase'] === 'Failed');
    expect(await attributes()).toMatchObject({ ready: false });
    const told = await until('it is told', () =>
      fakes.all('event').find(({ record }) => record.reason === 'InvalidSpec'),
    );
    expect(told.record).toMatchObject({ type: 'Warning', message: 'spec.stateQuery: does not parse' });
    await execution.end();
  });

  it('current details tell the state, each pod, the next poll and open episodes; the summary what it is', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    fakes.says(health('unhealthy'));
    const execution = await watched(fakes);
    const { currentDetails } = await execution.handle.query<{ currentDetails: string }, []>(
      '__temporal_workflow_metadata',
    );
    expect(currentDetails).toContain('**Monitoring**: 1 of 1 pods answer');
    // The Web UI shows a list as one only after an empty line.
    expect(currentDetails).toContain('\n\n- `my-app-7d4b9c-0`: answers');
    expect(currentDetails).toMatch(/Next poll \d{4}-/);
    expect(currentDetails).toContain('Open episodes:\n\n- **restart-unhealthy** on `my-app-7d4b9c-0` since');
    const description = await execution.handle.describe();
    expect(await description.staticSummary()).toBe('TargetApp **default/my-app**');
    await execution.end();
  });

  it('activities are named by what they do', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    fakes.says(health('unhealthy'));
    const execution = await watched(fakes);
    await until('it acted', () => fakes.all('end').length === 1);
    await execution.end();
    const text = (data: Uint8Array | null | undefined) => Buffer.from(data ?? []).toString();
    const summaries = (await execution.history()).events
      ?.filter((event) => event.activityTaskScheduledEventAttributes)
      .map((event) => text(event.userMetadata?.summary?.data));
    expect(summaries).toContain('"poll"');
    expect(summaries).toContain(
      '"restart-unhealthy: application.health equals unhealthy on pod my-app-7d4b9c-0, so restart_pod"',
    );
  });
});
