import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { ChroniclePod } from '../support/chronicle.ts';
import type { OperatorInside } from '../support/operator-under-test.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import { until } from '../support/until.ts';

jest.setTimeout(120_000);

/** As few as there may be, so that few sick parts fill them. */
const slots = 4;
let world: RealWorld;
let operator: OperatorInside;

beforeAll(async () => {
  world = await startWorld();
  operator = await world.operate({
    KCO_MAX_CONCURRENT_ACTIONS: String(slots),
    KCO_MAX_CONCURRENT_ACTIVITIES: String(slots),
  });
}, 900_000);

afterAll(() => world?.stop(), 60_000);

const polledAt = (pod: ChroniclePod | undefined): number => world.app.requests(pod?.status?.podIP);

/** Polls of a pod in the next five seconds. It is polled every second. */
async function pollsInFiveSeconds(pod: ChroniclePod | undefined): Promise<number> {
  const [before, since] = [polledAt(pod), Date.now()];
  await until('five seconds have passed', () => Date.now() - since >= 5_000);
  return polledAt(pod) - before;
}

it('a receiver that accepts and says nothing, called by more actions than may run at once, holds up neither polls nor reports of others', async () => {
  const silent = await world.runApp('silent', slots + 2);
  const [well] = await world.runApp('well-beside-silent');
  const webhook = { url: world.receiver.url('/silent'), timeout: 60 };
  await world.monitor('silent', { actions: [{ trigger: whenUnhealthy, action: 'webhook', parameters: webhook }] });
  await world.monitor('well-beside-silent');
  const release = world.receiver.hold('/silent');
  for (const pod of silent) world.says(pod, { health: 'unhealthy' });
  await until('all slots of actions hang', () => world.receiver.deliveries('/silent').length === slots);

  expect(await pollsInFiveSeconds(well)).toBeGreaterThanOrEqual(4);
  expect(await pollsInFiveSeconds(silent[0])).toBeGreaterThanOrEqual(4);
  const saidAt = world.says(well, { health: 'degraded' });
  const told = await world.event('well-beside-silent', 'StateChanged');
  expect(world.toldAt(told) - saidAt).toBeLessThanOrEqual(4_000);
  await until('its status says so', () =>
    JSON.stringify(world.targetApp('well-beside-silent')?.status).includes('degraded'),
  );
  expect((await operator.ask('/readyz')).status).toBe(200);
  expect(world.receiver.deliveries('/silent')).toHaveLength(slots);
  release();
  await until('the others are called as well', () => world.receiver.deliveries('/silent').length === slots + 2);
});
