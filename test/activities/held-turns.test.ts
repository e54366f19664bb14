import { describe, expect, it } from '@jest/globals';
import { HeldTurns } from '../../src/activities/held-turns.ts';

describe('the turns that are held here', () => {
  it('are missed once they have ended or were asked for, until the next one is held or nobody wants it', () => {
    const turns = new HeldTurns();
    turns.add('a');
    turns.expect('a');
    expect([turns.has('a'), turns.size, turns.missingFor(0)]).toEqual([true, 1, []]);
    turns.remove('a');
    turns.expect('b');
    turns.expect('c');
    expect([turns.has('a'), turns.missingFor(0)]).toEqual([false, ['a', 'b', 'c']]);
    turns.add('a');
    turns.forget('b');
    expect(turns.missingFor(0)).toEqual(['c']);
    expect(turns.missingFor(60_000)).toEqual([]);
  });
});
