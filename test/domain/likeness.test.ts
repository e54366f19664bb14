import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../src/domain/json.ts';
import { isWord, likeness } from '../../src/domain/likeness.ts';

describe('two messages', () => {
  it.each([
    ['a measure', 'lag is 1234 ms', 'lag is 7 ms'],
    ['a duration', 'timeout after 10.3s', 'timeout after 1m2.5s'],
    ['an ISO time', 'synced at 2026-01-01T00:00:00Z', 'synced at 2026-12-31T23:59:59.123456+02:00'],
    ['a date', 'as of 2026-01-01', 'as of 2027-02-03'],
    ['a time of day', 'at 10:00:01', 'at 9:12'],
    ['epoch milliseconds', 'seen 1767225600000', 'seen 1767225600001'],
    ['an address', 'dial 10.0.0.7:8080: refused', 'dial 10.0.0.8:53412: refused'],
    [
      'a uuid',
      'request 0198c1f2-6f0e-7c1b-9d4e-2f9a53f2f6b1 failed',
      'request 5b0d6c1e-2f0a-4b53-8a53-9d1f2c3b4a55 failed',
    ],
    ['a hash', 'block 3Na4f9c81e2b77 at abc1234def', 'block 3Na4f9c81e2b77 at 99fffe01ab'],
    ['an id of letters and digits', 'by B62qk3yb8vGpTz81', 'by B62qmX7e4dh2LuW99'],
    ['a version with a build number', 'runs 1.4.2+build.17', 'runs 1.4.3-rc.1'],
    ['a negative number', 'drift -5', 'drift 12'],
    ['a percentage', 'disk 91%', 'disk 92.5%'],
    ['numbers of another script', 'lag ١٢', 'lag ٣'],
  ])('are alike when they differ by %s', (_, one, other) => {
    expect(likeness(one)).toBe(likeness(other));
  });

  it.each([
    ['a word', 'became up', 'became down'],
    ['a numbered name', 'webhook-0: failed', 'webhook-1: failed'],
    ['the pod of a StatefulSet', 'on pods web-0', 'on pods web-10'],
    ['a name that ends in a digit', 'node1 left', 'node2 left'],
    ['a name with an underscore', 'shard_1 left', 'shard_2 left'],
  ])('are not alike when they differ by %s', (_, one, other) => {
    expect(likeness(one)).not.toBe(likeness(other));
  });

  it('are compared in little time, whatever they say', () => {
    const began = performance.now();
    for (const part of ['a', '1', '-', 'f0', '2026-01-01', 'a-1.', ' 1']) likeness(part.repeat(1024 / part.length));
    expect(performance.now() - began).toBeLessThan(200);
  });
});

describe('a value', () => {
  it.each<[Json | undefined, boolean]>([
    [undefined, true],
    [null, true],
    [true, true],
    ['', true],
    ['unhealthy', true],
    ['DATABASE_DOWN', true],
    ['shutting down', true],
    ['überlastet', true],
    [5, false],
    ['v2', false],
    ['2026-01-01', false],
    ['it has failed, because the disk is full and nobody cares', false],
    [[], false],
    [{}, false],
  ])('%j is one of few: %s', (value, isOne) => {
    expect(isWord(value)).toBe(isOne);
  });
});
