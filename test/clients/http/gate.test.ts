import { describe, expect, it } from '@jest/globals';
import { createGate } from '../../../src/clients/http/gate.ts';

const never = undefined;

describe('a gate', () => {
  it('lets so many in at once, and the next one when one leaves, in the order in which they came', async () => {
    const gate = createGate(2);
    const [first, second] = [await gate.enter('a', 1_000, never), await gate.enter('a', 1_000, never)];
    const order: string[] = [];
    const third = gate.enter('a', 1_000, never).then((leave) => {
      order.push('third');
      return leave;
    });
    const fourth = gate.enter('a', 1_000, never).then(() => order.push('fourth'));
    first?.();
    first?.();
    await third;
    expect(order).toEqual(['third']);
    second?.();
    await fourth;
    expect(order).toEqual(['third', 'fourth']);
  });

  it('says at once whether there is room', () => {
    const gate = createGate(1);
    const leave = gate.tryEnter('a');
    expect(gate.tryEnter('a')).toBeUndefined();
    leave?.();
    expect(gate.tryEnter('a')).toBeDefined();
  });

  it('does not mix what has another key', async () => {
    const gate = createGate(1);
    expect(await gate.enter('a', 0, never)).toBeDefined();
    expect(await gate.enter('b', 0, never)).toBeDefined();
    expect(await gate.enter('a', 1, never)).toBeUndefined();
  });

  it('is not held by one that gave up waiting', async () => {
    const gate = createGate(1);
    const leave = await gate.enter('a', 0, never);
    expect(await gate.enter('a', 1, never)).toBeUndefined();
    const ending = new AbortController();
    const cancelled = gate.enter('a', 60_000, ending.signal);
    ending.abort(new Error('shutting down'));
    await expect(cancelled).rejects.toThrow('shutting down');
    leave?.();
    expect(await gate.enter('a', 0, never)).toBeDefined();
  });

  it('lets nobody in whose wait is over before it began', async () => {
    await expect(createGate(1).enter('a', 1_000, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });
});
