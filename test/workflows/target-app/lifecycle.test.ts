import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../support/domain.ts';
import { startStopwatch } from '../../support/pace.ts';
import { until } from '../../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';
import { createWorld, health, holdNextLook, planWith, restartRule, uidOf, type World } from '../../support/world.ts';

const hourMs = 3_600_000;
let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

/** What happened, a word each. */
const words = (world: World): string[] =>
  world.ledger.map((it) =>
    it.kind === 'event' ? it.record.reason : it.kind === 'begin' ? it.request.action : it.kind,
  );

describe('an app that turns unhealthy', () => {
  it('is told in Events, then in the status that the rule fires, then acted on, then told how that ended', async () => {
    const world = createWorld(planWith({ rules: [restartRule()] }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    world.ledger.length = 0;
    world.says(health('unhealthy'));
    await until('the status has the outcome', () =>
      world.all('status').some(({ status }) => JSON.stringify(status).includes('lastOutcome')),
    );
    await life.end();
    const story = words(world).filter((word) => word !== 'look');
    const isStatus = (word: string): boolean => ['status', 'restart_pod', 'end'].includes(word);
    // Events do not wait for the status, nor does the status for them.
    expect(story.filter(isStatus).slice(0, 4)).toEqual(['status', 'restart_pod', 'end', 'status']);
    expect(story.filter((word) => !isStatus(word))).toEqual(['StateChanged', 'TriggerFired', 'ActionSucceeded']);
    const [mirror, outcome] = world.all('status').map(({ status }) => status['rules']);
    const request = world.all('begin')[0]?.request;
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
    expect(world.counted).toEqual(['fired restart_pod', 'ended restart_pod succeeded']);
  });

  it('is not acted on again for an episode that the status of an earlier life says has fired', async () => {
    const world = createWorld(planWith({ rules: [restartRule()] }));
    world.says(health('unhealthy'));
    world.mirror = [
      { rule: 'restart-unhealthy', digest: digestOf(restartRule()), subject: uidOf(0), since: 1_000, firedAt: 2_000 },
    ];
    const life = await env.live(world);
    await until('it looked a few times', () => world.all('look').length > 3);
    await life.end();
    expect(world.all('begin')).toEqual([]);
  });
});

describe('a word to look again', () => {
  it('that comes while looking leads to another, fresh look, and a hundred of them to no more than that', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const look = holdNextLook(world);
    const life = await env.live(world);
    await until('a look is under way', () => look.isUnderWay);
    await Promise.all(Array.from({ length: 100 }, () => life.handle.signal('resourceChanged')));
    look.release();
    await until('it looked twice', () => world.all('look').length === 2);
    await life.handle.query('currentState');
    expect(world.all('look').map(({ input }) => input.fresh)).toEqual([undefined, true]);
    await life.end();
    expect(world.all('look')).toHaveLength(3);
  });

  it('ends the wait for a poll that is an hour away', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    world.says(health('unhealthy'));
    await life.handle.signal('resourceChanged');
    await until('it acted', () => world.all('end').length === 1);
    await life.end();
  });
});

describe('deletion', () => {
  it('ends the workflow at once when nothing runs, however far away the next poll is', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs }));
    const life = await env.live(world);
    await until('it is watched', () => world.all('status').length > 0);
    const sinceDeleted = startStopwatch();
    await life.end();
    expect(sinceDeleted.stop()).toBeLessThan(10_000);
  });

  it('lets the running action settle, and tells how it ended', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs, rules: [restartRule()] }));
    const gate = Promise.withResolvers<undefined>();
    world.faults.action = () => gate.promise;
    world.says(health('unhealthy'));
    const life = await env.live(world);
    await until('it acts', () => world.all('begin').length === 1);
    const ended = life.end();
    await until('it saw that the object is gone', () => world.all('look').some(({ told }) => told.deleted));
    expect((await life.handle.describe()).status.name).toBe('RUNNING');
    gate.resolve(undefined);
    await ended;
    expect(world.reasons()).toContain('ActionSucceeded');
  });

  it('and re-creation under one name is another workflow, which knows nothing of the first', async () => {
    const first = createWorld(planWith({ intervalMs: hourMs }));
    const one = await env.live(first, { name: 'again' });
    await until('the first is watched', () => first.all('status').length > 0);
    await one.end();
    const second = createWorld(planWith({ intervalMs: hourMs }));
    const other = await env.live(second, { name: 'again' });
    await until('the second is watched', () => second.all('status').length > 0);
    expect(other.handle.workflowId).not.toBe(one.handle.workflowId);
    expect(second.all('look')[0]?.input).toMatchObject({ known: {} });
    expect(second.all('look')[0]?.input.plan).toBeUndefined();
    await other.end();
  });
});

describe('a quiet app', () => {
  it('writes no status between heartbeats, however often it is polled', async () => {
    const world = createWorld(planWith({ intervalMs: 50, heartbeatMs: 2_000 }));
    const life = await env.live(world);
    await until('three statuses stand there', () => world.all('status').length === 3);
    await life.end();
    const at = world.all('status').map((status) => status.at);
    const gaps = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_900);
    const looks = world.all('look').filter((look) => look.at > (at[0] ?? 0) && look.at < (at[1] ?? 0));
    expect(looks.length).toBeGreaterThan(3);
    expect(world.reasons()).toEqual(['MonitoringStarted']);
  });

  it('writes its heartbeat in time though the next poll is far away', async () => {
    const world = createWorld(planWith({ intervalMs: hourMs, heartbeatMs: 1_000 }));
    const life = await env.live(world);
    await until('three statuses stand there', () => world.all('status').length === 3);
    expect(world.all('look')).toHaveLength(1);
    await life.end();
  });
});
