import { describe, expect, it } from '@jest/globals';
import { startLoop } from '../../src/lifecycle/loop.ts';

describe('a loop', () => {
  it('repeats its step until it is stopped, and ends a pause for that', async () => {
    const { promise: third, resolve } = Promise.withResolvers<void>();
    let steps = 0;
    const loop = startLoop(async () => {
      steps += 1;
      if (steps < 3) return 0;
      resolve();
      return 3_600_000;
    });
    await third;
    await loop.stop();
    expect(steps).toBe(3);
  });

  it('aborts the signal of the step under way, and waits for its end', async () => {
    const events: string[] = [];
    const loop = startLoop(
      (signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            events.push('aborted');
            resolve(0);
          });
        }),
    );
    await loop.stop();
    expect([...events, 'stopped']).toEqual(['aborted', 'stopped']);
  });
});
