import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../support/domain.ts';
import {
  createFakeActivities,
  type FakeActivities,
  health,
  holdNextLook,
  planWith,
  restartRule,
  uidOf,
} from '../../support/fake-activities.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

const hourMs = 3_600_000;
let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** What happened, a word each. */
const words = (fakes: FakeActivities): string[] =>
  fakes.ledger.map((it) =>
    it.kind === 'event' ? it.record.reason : it.kind === 'begin' ? it.request.action : it.kind,
  );

describe('an app that turns unhealthy', () => {
  it('is told in Events, then in the status that the rule fires, then acted on, then told how that ended', async () => {
    const fakes = createFakeActivities(planWith({ rules: [restartRule()] }));
    const execution = await env.start(fakes);
    const isTold = () => fakes.all('status').length > 0 && fakes.reasons().includes('MonitoringStarted');
    await until('it is watched, and that is told', isTold);
    fakes.ledger.length = 0;
    fakes.says(health('unhealthy'));
    await until('the status has the outcome', () =>
      fakes.all('status').some(({ status }) => JSON.stringify(status).includes('lastOutcome')),
    );
    await execution.end();
    const story = words(fakes).filter((word) => word !== 'look');
    const isStatus = (word: string): boolean => ['status', 'restart_pod', 'end'].includes(word);
    // Events do not wait for the status, nor does the status for them.
    expect(story.filter(isStatus).slice(0, 4)).toEqual(['status', 'restart_pod', 'end', 'status']);
    expect(story.filter((word) => !isStatus(word))).toEqual(['StateChanged', 'TriggerFired', 'ActionSucceeded']);
    const [mirror, outcome] = fakes.all('status').map(({ status }) => status['rules']);
    const request = fakes.all('begin')[0]?.request;
    expect(mirror).toEqual([
      expect.objectContaining({
        lastFired: expect.any(String),
        episodes: [{ subject: uidOf(0), since: expect.any(Number), firedAt: request?.at, pending: request?.id }],
      }),
    ]);
    expect(outcome).toEqual([
      expect.objectContaining({ lastOutcome: expect.objectContaining({ status: 'succeeded', actionId: request?.id }) }),
    ]);
    expect(request).toMatchObject({ oldValue: 'healthy', newValue: 'unhealthy', pods: [{ uid: uidOf(0) }] });
    expect(fakes.counted).toEqual(['fired restart_pod', 'ended restart_pod succeeded']);
  });

  it('is not acted on again for an episode that the status of an earlier life says has fired', async () => {
    const fakes = createFakeActivities(planWith({ rules: [restartRule()] }));
    fakes.says(health('unhealthy'));
    fakes.mirror = [
      { rule: 'restart-unhealthy', digest: digestOf(restartRule()), subject: uidOf(0), since: 1_000, firedAt: 2_000 },
    ];
    const execution = await env.start(fakes);
    await until('it looked a few times', () => fakes.all('look').length > 3);
    await execution.end();
    expect(fakes.all('begin')).toEqual([]);
  });
});

describe('a word to look again', () => {
  it('that comes while looking leads to another, fresh look, and a hundred of them to no more than that', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const look = holdNextLook(fakes);
    const execution = await env.start(fakes);
    await until('a look is under way', () => look.isUnderWay);
    await Promise.all(Array.from({ length: 100 }, () => execution.handle.signal('resourceChanged')));
    look.release();
    await until('it looked twice', () => fakes.all('look').length === 2);
    await execution.handle.query('currentState');
    expect(fakes.all('look').map(({ input }) => input.fresh)).toEqual([undefined, true]);
    await execution.end();
    expect(fakes.all('look')).toHaveLength(3);
  });

  it('ends the wait for a poll that is an hour away', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    fakes.says(health('unhealthy'));
    await execution.handle.signal('resourceChanged');
    await until('it acted', () => fakes.all('end').length === 1);
    await execution.end();
  });
});

describe('deletion', () => {
  it('ends the workflow at once when nothing runs, however far away the next poll is', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs }));
    const execution = await env.start(fakes);
    await until('it is watched', () => fakes.all('status').length > 0);
    const sinceDeleted = startStopwatch();
    await execution.end();
    expect(sinceDeleted.stop()).toBeLessThan(10_000);
  });

  it('lets the running action settle, and tells how it ended', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const gate = Promise.withResolvers<undefined>();
    fakes.faults.action = () => gate.promise;
    fakes.says(health('unhealthy'));
    const execution = await env.start(fakes);
    await until('it acts', () => fakes.all('begin').length === 1);
    const ended = execution.end();
    await until('it saw that the object is gone', () => fakes.all('look').some(({ told }) => told.deleted));
    expect((await execution.handle.describe()).status.name).toBe('RUNNING');
    gate.resolve(undefined);
    await ended;
    expect(fakes.reasons()).toContain('ActionSucceeded');
  });

  it('and re-creation under one name is another workflow, which knows nothing of the first', async () => {
    const first = createFakeActivities(planWith({ intervalMs: hourMs }));
    const one = await env.start(first, { name: 'again' });
    await until('the first is watched', () => first.all('status').length > 0);
    await one.end();
    const second = createFakeActivities(planWith({ intervalMs: hourMs }));
    const other = await env.start(second, { name: 'again' });
    await until('the second is watched', () => second.all('status').length > 0);
    expect(other.handle.workflowId).not.toBe(one.handle.workflowId);
    expect(second.all('look')[0]?.input).toMatchObject({ known: {} });
    expect(second.all('look')[0]?.input.plan).toBeUndefined();
    await other.end();
  });
});

describe('a quiet app', () => {
  it('writes no status between heartbeats, however often it is polled', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: 50, heartbeatMs: 2_000 }));
    const execution = await env.start(fakes);
    await until('three statuses stand there', () => fakes.all('status').length === 3);
    await execution.end();
    const at = fakes.all('status').map((status) => status.at);
    const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_900);
    const looks = fakes.all('look').filter((look) => look.at > (at[0] ?? 0) && look.at < (at[1] ?? 0));
    expect(looks.length).toBeGreaterThan(3);
    expect(fakes.reasons()).toEqual(['MonitoringStarted']);
  });

  it('writes its heartbeat in time though the next poll is far away', async () => {
    const fakes = createFakeActivities(planWith({ intervalMs: hourMs, heartbeatMs: 1_000 }));
    const execution = await env.start(fakes);
    await until('three statuses stand there', () => fakes.all('status').length === 3);
    expect(fakes.all('look')).toHaveLength(1);
    await execution.end();
  });
});
