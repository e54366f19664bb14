import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedApp } from '../support/recorder.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
beforeAll(async () => {
  world = await startWorld();
}, 900_000);
afterAll(() => world?.stop());

const lengthOf = async (app: RecordedApp): Promise<number> =>
  (await world.temporal.workflow.getHandle(world.workflowId(app)).describe()).historyLength;

/** Waits until an app has been asked so many times more. */
const askedAgain = async (times: number): Promise<void> => {
  const before = world.app.requests();
  await until(`the app is asked ${times} times more`, () => world.app.requests() >= before + times);
};

describe('polls that are held by turns, on real servers', () => {
  it('leave nothing in a quiet history, and tell a change within a poll', async () => {
    await world.operate();
    const [pod] = await world.runApp('quiet');
    const app = await world.monitor('quiet');
    await askedAgain(4);
    const before = await lengthOf(app);
    await askedAgain(8);
    expect(await lengthOf(app)).toBe(before);
    world.says(pod, { health: 'unhealthy' });
    await world.event('quiet', 'StateChanged', 'from healthy to unhealthy');
  });

  it('end at an edit, a suspension and a request, by the watch of who holds them', async () => {
    await world.monitor('quiet', { pollingInterval: 3_600 });
    await world.watchApp('quiet', { pollingInterval: 3_600, suspend: true });
    await until('it is suspended', () => world.targetApp('quiet')?.status?.phase === 'Suspended');
    await world.watchApp('quiet', { pollingInterval: 3_600 }, { 'kco.local/poll-requested-at': 'now' });
    await until('the poll is answered', () => world.targetApp('quiet')?.status?.pollRequestedAt === 'now');
  });

  it('go on elsewhere when the replica that held them is killed, and act once', async () => {
    const second = await world.spawnOperator();
    await second.ready();
    const names = Array.from({ length: 8 }, (_, index) => `held-${index}`);
    const restart = [{ name: 'restart', trigger: whenUnhealthy, action: 'restart_pod' }];
    const pods = await Promise.all(names.map((name) => world.runApp(name)));
    await Promise.all(names.map((name) => world.monitor(name, { actions: restart })));
    const held = async (): Promise<number> => Number((await second.ask('/stats')).body['turnsHeld']);
    await until('both hold some', async () => [1, 2, 3, 4, 5, 6, 7].includes(await held()));
    await second.end('SIGKILL');
    for (const [pod] of pods) world.says(pod, { health: 'unhealthy' });
    for (const [index, name] of names.entries()) {
      expect(await world.deletedPods(name, 1)).toEqual([pods[index]?.[0]?.metadata.name]);
      await world.event(name, 'ActionSucceeded', 'restart_pod');
      expect(world.events(name, 'TriggerFired')).toHaveLength(1);
    }
  });
});
