import { describe, expect, it } from '@jest/globals';
import { backoffMs, spread } from '../../src/domain/backoff.ts';

describe('back-off', () => {
  it.each([
    [1, 250],
    [2, 500],
    [6, 8_000],
    [7, 15_000],
    [5_000, 15_000],
  ])('waits after %d failures for %d ms', (failures, ms) => {
    expect(backoffMs({ firstMs: 250, longestMs: 15_000 }, failures)).toBe(ms);
  });

  it('is spread by half to either side', () => {
    expect([0, 0.5, 1].map((random) => spread(100, random))).toEqual([50, 100, 150]);
  });
});
