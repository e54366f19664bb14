import { afterEach, describe, expect, it } from '@jest/globals';
import { createHealthMonitor, type HealthMonitor } from '../../src/server/health-monitor.ts';
import { eventually } from '../servers/processes.ts';

let watchman: HealthMonitor | undefined;
afterEach(() => watchman?.stop());

describe('a watchman', () => {
  it('knows nothing before its first look', () => {
    watchman = createHealthMonitor({ check: () => new Promise(() => undefined), everyMs: 1 });
    watchman.start();
    expect(watchman.result).toEqual({ ok: false, message: 'not looked at yet' });
  });

  it('says why it is not well, tells of a loss once per row of failures, and of the return', async () => {
    let well = true;
    const told: string[] = [];
    const made = createHealthMonitor({
      check: async () => {
        if (!well) throw new Error('nobody there');
      },
      everyMs: 1,
      onFailing: () => told.push('loss'),
      onRecovered: (lostMs) => told.push(lostMs > 0 ? 'return' : 'no time'),
    });
    watchman = made;
    made.start();
    await eventually('well', () => made.result.ok);
    well = false;
    await eventually('not well', () => !made.result.ok);
    expect(made.result.message).toBe('nobody there');
    await new Promise((resolve) => setImmediate(resolve));
    well = true;
    await eventually('well again', () => made.result.ok);
    expect(told).toEqual(['loss', 'return']);
  });

  it('looks no more after it was stopped', async () => {
    let looks = 0;
    const look = async () => {
      looks += 1;
    };
    const made = createHealthMonitor({ check: look, everyMs: 1 });
    made.start();
    await eventually('some looks', () => looks > 2);
    await made.stop();
    const after = looks;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(looks).toBe(after);
  });
});
