import { describe, expect, it } from '@jest/globals';
import { fnv1a } from '../../src/domain/hash.ts';
import { nextPollAt } from '../../src/domain/schedule.ts';

describe('fnv1a', () => {
  // The published vectors of FNV-1a, 32 bits.
  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('of %j is the published one', (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });
});

describe('nextPollAt', () => {
  it('is one interval later at the instant of a poll, and the same instant at any time before it', () => {
    const first = nextPollAt('uid', 30_000, 1_000_000);
    expect(nextPollAt('uid', 30_000, first)).toBe(first + 30_000);
    expect(nextPollAt('uid', 30_000, first - 1)).toBe(first);
  });

  it('catches nothing up after an outage', () => {
    const first = nextPollAt('uid', 30_000, 1_000_000);
    expect(nextPollAt('uid', 30_000, first + 3_600_001) - (first + 3_600_001)).toBeLessThanOrEqual(30_000);
  });

  it('spreads a fleet over the interval', () => {
    const tenths = Array.from({ length: 1000 }, (_, i) => Math.floor((nextPollAt(`uid-${i}`, 30_000, 0) - 1) / 3_000));
    const counts = Array.from({ length: 10 }, (_, tenth) => tenths.filter((at) => at === tenth).length);
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(140);
  });
});
