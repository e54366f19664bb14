import { describe, expect, it } from '@jest/globals';
import { createPlaces } from '../../src/activities/places.ts';
import { createShare } from '../../src/activities/share.ts';
import { until } from '../support/until.ts';

const { signal } = new AbortController();
const nextTick = () => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told to. */
const held = () => {
  const gates: (() => void)[] = [];
  const begun: string[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => gates.push(resolve));
  };
  return { begun, work, release: () => gates.shift()?.() };
};

describe('the share of a namespace', () => {
  it('is half of the slots; what is over is turned away, to come again, and the others go on', async () => {
    const share = createShare(4);
    const { work, release } = held();
    const hanging = [share('sick', work('a')), share('sick', work('b'))];
    await expect(share('sick', work('c'))).rejects.toMatchObject({
      type: 'NamespaceBusy',
      nonRetryable: false,
      category: 'BENIGN',
      nextRetryDelay: expect.any(Number),
    });
    await expect(share('well', async () => 'done')).resolves.toBe('done');
    release();
    await hanging[0];
    await expect(share('sick', async () => 'done')).resolves.toBe('done');
    release();
    await Promise.all(hanging);
  });

  it('is given back by work that fails', async () => {
    const share = createShare(1);
    const fails = () => Promise.reject(new Error('no'));
    for (let n = 0; n < 3; n++) await expect(share('shop', fails)).rejects.toThrow('no');
  });
});

describe('places', () => {
  it('are taken in order, and by half by one kind at most', async () => {
    const places = createPlaces(4);
    const { begun, work, release } = held();
    const all = ['a1', 'a2', 'a3', 'b1', 'a4', 'b2', 'b3', 'c1'].map((name) =>
      places(name.slice(0, 1), work(name), signal),
    );
    await nextTick();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'b2']);
    release();
    await nextTick();
    expect(begun.slice(4)).toEqual(['a3']);
    release();
    await nextTick();
    expect(begun.slice(5)).toEqual(['a4']);
    release();
    await nextTick();
    expect(begun.slice(6)).toEqual(['b3']);
    release();
    await nextTick();
    expect(begun.slice(7)).toEqual(['c1']);
    for (let n = 0; n < 4; n++) release();
    await Promise.all(all);
  });

  it('are not taken by what is given up before its turn', async () => {
    const places = createPlaces(1);
    const { work, release } = held();
    const first = places('a', work('first'), signal);
    const leaving = new AbortController();
    const second = places('b', work('second'), leaving.signal);
    leaving.abort(new Error('given up'));
    await expect(second).rejects.toThrow('given up');
    release();
    await first;
    await expect(places('a', async () => 'done', signal)).resolves.toBe('done');
  });

  it('are given back by work that takes long, to others of its kind as well; as much of it as may be goes on aside', async () => {
    const places = createPlaces(2, { afterMs: 1, most: 4 });
    const { begun, work, release } = held();
    const all = ['a1', 'a2', 'a3', 'a4'].map((name) => places('a', work(name), signal));
    // Two aside, which is half of what there is room for, and one in the only place of its kind.
    await until('three have begun', () => begun.length === 3);
    const others = ['b1', 'b2', 'b3'].map((name) => places('b', work(name), signal));
    await until('so have those of another kind', () => begun.length === 6);
    expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3']);
    release();
    await until('the last one has begun', () => begun.length === 7);
    for (let n = 0; n < 6; n++) release();
    await Promise.all([...all, ...others]);
    const again = ['c1', 'c2', 'c3'].map((name) => places('c', work(name), signal));
    await until('all room is there again', () => begun.length === 10);
    for (let n = 0; n < 3; n++) release();
    await Promise.all(again);
  });
});
