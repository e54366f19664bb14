import { describe, expect, it } from '@jest/globals';
import { Wheel } from '../../../src/activities/target-app/wheel.ts';
import { tickMs } from '../../../src/domain/schedule.ts';

describe('waits on a wheel', () => {
  it('end at the first tick that is not before their time, all of one tick together', async () => {
    const wheel = new Wheel();
    const from = tickMs * Math.ceil(Date.now() / tickMs) + tickMs;
    const ends: number[] = [];
    const waits = [1, 100, 240].map((ms) => wheel.wait(from + ms).ended.then(() => void ends.push(performance.now())));
    expect(wheel.size).toBe(3);
    await Promise.all(waits);
    expect(Date.now()).toBeGreaterThanOrEqual(from + tickMs);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(tickMs / 2);
    expect(wheel.size).toBe(0);
  });

  it('end at once when they are woken up, and leave the others alone', async () => {
    const wheel = new Wheel();
    const woken = wheel.wait(Date.now() + 3_600_000);
    const soon = wheel.wait(Date.now() + 300);
    woken.wake();
    await woken.ended;
    expect(wheel.size).toBe(1);
    await soon.ended;
    expect(wheel.size).toBe(0);
  });

  it('take what is due sooner in before what waits already', async () => {
    const wheel = new Wheel();
    const late = wheel.wait(Date.now() + 3_600_000);
    await wheel.wait(Date.now() + 1).ended;
    expect(wheel.size).toBe(1);
    late.wake();
  });
});
