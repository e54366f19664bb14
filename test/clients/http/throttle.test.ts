import { beforeEach, describe, expect, it } from '@jest/globals';
import { createThrottle, type PollEnd, type Throttle } from '../../../src/clients/http/throttle.ts';

let now: number;
let restraint: Throttle;
beforeEach(() => {
  now = 1_000_000;
  restraint = createThrottle({
    rate: { perSecond: 10, burst: 2 },
    failuresUntilDown: 3,
    longestPauseMs: 60_000,
    now: () => now,
  });
});

const settle = (...ends: PollEnd[]): void => {
  for (const end of ends) restraint.record('e', end);
};
const late: PollEnd = { end: 'late' };
const failed: PollEnd = { end: 'failed' };
const unknown: PollEnd = { end: 'unknown' };
const answered = (tookMs: number): PollEnd => ({ end: 'answered', tookMs });
/** How long answers are waited for in polls that all end late. */
const patience = (polls: number): number[] =>
  Array.from({ length: polls }, () => {
    const ms = restraint.patienceMs('e', 10_000);
    settle(late);
    return ms;
  });

describe('how long an endpoint is waited for', () => {
  it('is as long as the TargetApp allows, until it has hung three times in a row; from then on only now and then', () => {
    expect(patience(12)).toEqual([
      10_000, 10_000, 10_000, 2_500, 2_500, 2_500, 10_000, 2_500, 2_500, 2_500, 10_000, 2_500,
    ]);
  });

  it('is enough for what it usually takes, so that the first poll after its recovery notices', () => {
    settle(answered(1_500), answered(100));
    patience(3);
    expect(restraint.patienceMs('e', 10_000)).toBeCloseTo(4_050);
    settle(answered(1_500));
    expect(restraint.patienceMs('e', 10_000)).toBe(10_000);
  });

  it.each([
    ['a short timeout', 1_500, 1_500],
    ['a long one', 60_000, 15_000],
    ['one in between', 4_000, 2_000],
  ])('is never next to nothing: %s', (_, fullMs, patienceMs) => {
    settle(late, late, late);
    expect(restraint.patienceMs('e', fullMs)).toBe(patienceMs);
  });

  it.each<[string, PollEnd[]]>([
    ['that answers', [late, late, late, answered(1)]],
    ['that is refused at once', [late, late, late, failed]],
    ['that hung twice', [late, late]],
  ])('is not cut for one %s', (_, ends) => {
    settle(...ends);
    expect(restraint.patienceMs('e', 10_000)).toBe(10_000);
  });
});

describe('an endpoint', () => {
  it('is down after three failures in a row, whatever they are', () => {
    settle(late, failed);
    expect(restraint.isOpen('e')).toBe(false);
    settle(failed);
    expect(restraint.isOpen('e')).toBe(true);
    settle(answered(1));
    expect(restraint.isOpen('e')).toBe(false);
  });

  it('is neither up nor down because of what was not its doing', () => {
    settle(failed, failed, unknown, unknown);
    expect(restraint.isOpen('e')).toBe(false);
    settle(failed, unknown);
    expect(restraint.isOpen('e')).toBe(true);
  });

  it('that asked for quiet is remembered with the status it had then', () => {
    restraint.pause('e', 5_000, 429);
    now += 1_000;
    expect(restraint.quiet('e')).toEqual({ leftMs: 4_000, status: 429 });
    restraint.pause('e', 86_400_000, 503);
    expect(restraint.quiet('e')).toEqual({ leftMs: 60_000, status: 503 });
    now += 60_000;
    expect(restraint.quiet('e')).toBeUndefined();
  });
});
