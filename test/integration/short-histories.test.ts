import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedApp, RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

// Each workflow continues as new about every twenty seconds, so that whatever may hold that up or get lost by it does.

let world: RealWorld;

beforeAll(async () => {
  // Each poll a row of its own, so that histories grow by themselves.
  world = await startWorld(
    { KCO_POLLS_PER_TURN: '1' },
    { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 80 } },
  );
  await world.operate();
}, 900_000);

afterAll(() => world?.stop());

const pollsOf = (pod: RecordedPod | undefined): number => world.app.requests(pod?.status?.podIP);

/** Waits until the workflow of a TargetApp has continued as new so many times from now on. */
async function handOns(app: RecordedApp, times: number): Promise<void> {
  const runId = async () => (await world.temporal.workflow.getHandle(world.workflowId(app)).describe()).runId;
  for (let i = 0; i < times; i += 1) {
    const before = await runId();
    await until('it has continued as new', async () => (await runId()) !== before, { timeoutMs: 120_000 });
  }
}

it('a receiver that wants to be asked again in a day holds up neither polls, nor continue-as-new, nor the end', async () => {
  const [pod] = await world.runApp('put-off');
  world.receiver.putOff('/put-off', 86_400);
  const webhook = { name: 'tell', action: 'webhook', parameters: { url: world.receiver.url('/put-off') } };
  const app = await world.monitor('put-off', { actions: [{ trigger: whenUnhealthy, ...webhook }] });
  world.says(pod, { health: 'unhealthy' });
  const waiting = () => world.targetApp('put-off')?.status?.rules?.[0]?.waiting?.[0];
  const { notBefore = '' } = await until('the status says that it waits', waiting);
  expect(Date.parse(notBefore) - Date.now()).toBeLessThanOrEqual(15 * 60_000);

  const polled = pollsOf(pod);
  await handOns(app, 2);
  await until('it is polled on', () => pollsOf(pod) >= polled + 10);
  expect(world.receiver.deliveries('/put-off')).toHaveLength(1);
  expect(waiting()).toMatchObject({ notBefore });

  await world.deleteApp('put-off');
  const sinceDeleted = startStopwatch();
  await until('its workflow has ended', async () => (await world.workflowStatus(app)) === 'COMPLETED');
  expect(sinceDeleted.stop()).toBeLessThanOrEqual(30_000);
});

it('sixty pods with long texts and ten rules on them: the workflow continues as new with what has fired', async () => {
  const pods = await world.runApp('long-texts', 60);
  const text = (n: number) => `${n} ${'x'.repeat(12_000)}`;
  for (const pod of pods) world.says(pod, { lastError: text(0) });
  const rules = Array.from({ length: 10 }, (_, i) => ({
    name: `rule-${i}`,
    // The first fires; the others carry the text that was there before, until their time comes.
    trigger: { field: 'application.lastError', condition: 'not_equals', value: text(0), ...(i > 0 && { for: '1h' }) },
    action: 'webhook',
    parameters: { url: world.receiver.url(`/long-texts/${i}`) },
  }));
  const app = await world.monitor('long-texts', { dryRun: true, actions: rules });
  for (const [i, pod] of pods.entries()) world.says(pod, { lastError: text(i + 1) });
  const episodes = () => world.targetApp('long-texts')?.status?.rules?.flatMap((rule) => rule.episodes ?? []) ?? [];
  const firings = () =>
    episodes().flatMap(({ subject, firedAt }) => (firedAt === undefined ? [] : `${subject} ${firedAt}`));
  await until(
    'one rule has fired on each pod, and the others wait',
    () => firings().length === 60 && episodes().length === 600,
    {
      instead: () => [firings().length, episodes().length],
    },
  );
  const fired = firings();

  await handOns(app, 3);
  const polled = pods.map(pollsOf);
  await until('each pod is polled on', () => pods.every((pod, i) => pollsOf(pod) >= (polled[i] ?? 0) + 3));
  expect(await world.workflowStatus(app)).toBe('RUNNING');
  expect(firings()).toEqual(fired);
  // What was cut is the texts: a change is still one.
  world.says(pods[0], { lastError: text(0) });
  await until('the end of an episode is seen by all rules', () => episodes().length === 590);
});

it('pods that need a while until they answer are left to start, and restarted when they fall silent later', async () => {
  world.app.fault('*', { kind: 'reset' });
  const [pod] = await world.runApp('slow-start');
  await world.watchApp('slow-start', {
    actions: [
      {
        trigger: { condition: 'unreachable', for: '3s' },
        action: 'restart_pod',
        parameters: { startupGrace: '25s' },
      },
    ],
  });
  await until('it is said why nothing is restarted', () =>
    JSON.stringify(world.targetApp('slow-start')?.status ?? {}).includes('StartingUp'),
  );
  const polled = pollsOf(pod);
  await until('it has been polled for longer than the rule asks for', () => pollsOf(pod) >= polled + 8);
  expect((await world.pods('slow-start')).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);

  world.app.fault('*', undefined);
  const answers = () => world.targetApp('slow-start')?.status?.pods?.observed === 1;
  await until('it answers', answers);
  world.app.fault(pod?.status?.podIP ?? '', { kind: 'reset' });
  expect(await world.deletedPods('slow-start', 1)).toEqual([pod?.metadata.name]);
  world.app.fault(pod?.status?.podIP ?? '', undefined);
  const [next] = await world.pods('slow-start');
  await until('its replacement answers', answers);
  expect(next?.metadata.uid).not.toBe(pod?.metadata.uid);
});
