import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/domain/json.ts';
import { type RealWorld, startWorld } from '../support/real-world.ts';
import type { RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
beforeAll(async () => {
  world = await startWorld({ KCO_POLLS_PER_TURN: '0' });
  await world.operate();
}, 900_000);
afterAll(() => world?.stop());

const subscribing = (protocol: string, query = 'subscription { application { health } }'): JsonObject => ({
  pollingInterval: 3_600,
  stateSubscription: { protocol, query },
});

const addressOf = (pod: RecordedPod | undefined): string => pod?.status?.podIP ?? '';

/** The condition that says whether messages make polls. */
const subscribed = (name: string, status: string) =>
  until(
    `the subscription of ${name} is told to be ${status}`,
    () =>
      world.targetApp(name)?.status?.conditions?.find((each) => each.type === 'Subscribed' && each.status === status),
    { instead: () => world.targetApp(name)?.status?.conditions },
  );

describe.each(['graphql-transport-ws', 'graphql-sse'])(
  'an app that is polled every hour and subscribed to by %s',
  (protocol) => {
    const name = `by-${protocol}`;
    const restart = {
      name: 'restart',
      trigger: { field: 'application.health', condition: 'equals', value: 'unhealthy' },
      action: 'restart_pod',
    };

    it('tells a change of any of its pods within a second', async () => {
      const pods = await world.runApp(name, 2);
      await world.monitor(name, subscribing(protocol));
      await subscribed(name, 'True');
      for (const pod of pods) {
        const before = Date.now();
        world.says(pod, { health: `odd-${addressOf(pod)}` });
        const { message } = await world.event(name, 'StateChanged', `odd-${addressOf(pod)}`);
        expect(message).toContain(pod.metadata.name);
        expect(Date.now() - before).toBeLessThan(1_500);
      }
    });

    it('keeps its subscriptions from turn to turn, and over an edit of something else', async () => {
      const begun = world.app.subscriptions.begun();
      const [pod] = await world.pods(name, 2);
      world.says(pod, { health: 'degraded' });
      await world.event(name, 'StateChanged', 'to degraded');
      await world.monitor(name, { ...subscribing(protocol), actions: [restart] });
      await subscribed(name, 'True');
      expect(world.app.subscriptions.begun()).toBe(begun);
    });

    it('is acted on within seconds, and its new pod is subscribed to', async () => {
      const [pod, other] = await world.pods(name, 2);
      world.says(pod, { health: 'unhealthy' });
      expect(await world.deletedPods(name, 1)).toEqual([pod?.metadata.name]);
      await until('there are two pods again', async () => (await world.pods(name, 2)).length === 2);
      world.says(other, { pendingTasks: 7 });
      const [first, second] = await world.pods(name, 2);
      const fresh = first?.metadata.name === other?.metadata.name ? second : first;
      await until('the new pod is subscribed to', () => world.app.subscriptions.open(addressOf(fresh)) === 1);
    });

    it('is not subscribed to while it is suspended', async () => {
      const pods = await world.pods(name, 2);
      const open = () => pods.map((pod) => world.app.subscriptions.open(addressOf(pod)));
      await world.watchApp(name, { ...subscribing(protocol), suspend: true });
      await until('nothing is open', () => open().every((count) => count === 0));
      await world.watchApp(name, subscribing(protocol));
      await until('each pod is subscribed to again', () => open().every((count) => count === 1));
      await world.deleteApp(name);
      await until('nothing is open any more', () => open().every((count) => count === 0));
    });

    it('tells once that the app refuses, and what it says', async () => {
      const refused = `refused-${protocol}`;
      await world.runApp(refused);
      await world.watchApp(refused, { ...subscribing(protocol, 'subscription { mood }'), pollingInterval: 1 });
      const words = 'Cannot query field "mood"';
      await world.event(refused, 'SubscriptionFailed', words);
      expect(await subscribed(refused, 'False')).toMatchObject({ message: expect.stringContaining(words) });
      const before = world.app.requests();
      await until('it is polled on', () => world.app.requests() > before + 5);
      expect(world.events(refused, 'SubscriptionFailed')).toMatchObject([{ type: 'Warning', count: 1 }]);
      await world.monitor(refused, { ...subscribing(protocol), pollingInterval: 1 });
      await subscribed(refused, 'True');
    });
  },
);
