import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createStallMeter } from '../../../src/clients/http/stall-meter.ts';

describe('how long the process stood still', () => {
  it('is known at once after it did', async () => {
    const stalls = createStallMeter();
    const before = stalls();
    const end = performance.now() + 400;
    while (performance.now() < end);
    expect(stalls() - before).toBeGreaterThanOrEqual(250);
  });

  it('is nothing while it turns, however much time goes by', () => {
    let now = 0;
    const stalls = createStallMeter(() => now);
    for (let turn = 0; turn < 100; turn++) {
      now += 60;
      stalls();
    }
    expect(stalls()).toBe(0);
  });

  it('is not what went by while nobody held the meter', () => {
    let now = 0;
    const stalls = createStallMeter(() => now);
    const before = stalls();
    now += 5_000;
    const letGo = stalls.hold?.();
    expect(stalls()).toBe(before);
    letGo?.();
  });

  it('is seen while somebody holds it, though nobody asks', async () => {
    const stalls = createStallMeter();
    const before = stalls();
    const letGo = stalls.hold?.();
    const end = performance.now() + 400;
    while (performance.now() < end);
    await delay(80);
    expect(stalls() - before).toBeGreaterThanOrEqual(250);
    letGo?.();
  });

  it('adds up', async () => {
    let now = 0;
    const stalls = createStallMeter(() => now);
    now += 1_000;
    const once = stalls();
    expect(once).toBeGreaterThanOrEqual(850);
    now += 1_000;
    expect(stalls()).toBe(2 * once);
    await delay(1);
  });
});
