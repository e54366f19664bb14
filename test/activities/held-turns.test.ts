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

  it('are waited for until they are held, and no longer than somebody has time', async () => {
    const turns = new HeldTurns();
    const held = turns.heldWithin('a', 600_000);
    turns.add('a');
    await held;
    await turns.heldWithin('a', 600_000);
    await turns.heldWithin('b', 1);
    expect(turns.has('b')).toBe(false);
  });
});
