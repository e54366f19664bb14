import { describe, expect, it } from '@jest/globals';
import { ownerOf } from '../../src/domain/rendezvous.ts';

const keys = Array.from({ length: 3_000 }, (_, i) => `uid-${i}`);
const three = ['kco-0', 'kco-1', 'kco-2'];

describe('the owner of a key', () => {
  it('is the same whatever the order of the names', () => {
    for (const key of keys) expect(ownerOf(key, three.toReversed())).toBe(ownerOf(key, three));
  });

  it('is each of the names about as often', () => {
    for (const name of three) {
      const owned = keys.filter((key) => ownerOf(key, three) === name).length;
      expect(owned).toBeGreaterThan(850);
      expect(owned).toBeLessThan(1_150);
    }
  });

  it('stays who it is when another one goes', () => {
    for (const key of keys) {
      const before = ownerOf(key, three);
      const after = ownerOf(key, ['kco-0', 'kco-1']);
      expect(before === 'kco-2' || after === before).toBe(true);
    }
  });

  it('is nobody where there is none', () => {
    expect(ownerOf('a', [])).toBeUndefined();
  });
});
