import { describe, expect, it } from '@jest/globals';
import { fullBucket, type TokenBucket, takeToken } from '../../src/domain/token-bucket.ts';

const rate = { perSecond: 10, burst: 3 };

/** What each of so many wishes at one time comes to. */
const takeAll = (bucket: TokenBucket, now: number, count: number, withinMs: number): (number | 'not taken')[] => {
  let left = bucket;
  return Array.from({ length: count }, () => {
    const take = takeToken(left, rate, now, withinMs);
    left = take.bucket;
    return take.taken ? take.waitMs : 'not taken';
  });
};

describe('a token bucket', () => {
  it('gives its burst at once, and then its rate in advance', () => {
    expect(takeAll(fullBucket(rate, 0), 0, 5, 1_000)).toEqual([0, 0, 0, 100, 200]);
  });

  it('does not take what comes too late, so the next one waits no longer for it', () => {
    expect(takeAll(fullBucket(rate, 0), 0, 6, 150)).toEqual([0, 0, 0, 100, 'not taken', 'not taken']);
    expect(takeToken({ tokens: 0, at: 0 }, rate, 50, 0)).toEqual({
      bucket: { tokens: 0.5, at: 50 },
      taken: false,
      waitMs: 50,
    });
  });

  it('holds no more than its burst, however long nothing was taken', () => {
    expect(takeAll({ tokens: 0, at: 0 }, 3_600_000, 4, 0)).toEqual([0, 0, 0, 'not taken']);
  });
});
