import { describe, expect, it } from '@jest/globals';
import type { Lookout } from '../../src/activities/lookouts.ts';
import { Beginnings } from '../../src/controller/beginnings.ts';

const app = { namespace: 'shop', name: 'cart', uid: 'u1' };
const nothing = () => undefined;
const lookoutOf = (looked: Promise<void>, seen?: object): Lookout => ({ looked, end: nothing, ...(seen && { seen }) });
const done = Promise.resolve();

describe('what a workflow begins with', () => {
  it('is what its owner has seen, who watches the object once until the workflow is there', async () => {
    let posted = 0;
    const ended: number[] = [];
    const beginnings = new Beginnings(() => {
      const number = ++posted;
      return { ...lookoutOf(done, { matched: number }), end: () => ended.push(number) };
    });
    for (const _ of [1, 2]) beginnings.watch(app, nothing);
    expect([beginnings.has(app.uid), await beginnings.of(app)]).toEqual([true, { seen: { matched: 1 } }]);
    beginnings.forget(app.uid);
    expect([beginnings.has(app.uid), await beginnings.of(app), ended]).toEqual([false, {}, [1]]);
    beginnings.watch(app, nothing);
    expect(await beginnings.of(app)).toEqual({ seen: { matched: 2 } });
  });

  it.each([
    ['it is not watched', undefined],
    ['the look failed', lookoutOf(done)],
    ['it has seen too much', lookoutOf(done, { readings: ['x'.repeat(65_536)] })],
  ])('is nothing where %s', async (_, lookout) => {
    const beginnings = new Beginnings(() => lookout);
    beginnings.watch(app, nothing);
    expect(await beginnings.of(app)).toEqual({});
  });

  it('comes later where an app takes its time, and is there then', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const lookout: { seen?: object } & Lookout = lookoutOf(promise);
    const beginnings = new Beginnings(() => lookout);
    beginnings.watch(app, nothing);
    const first = await beginnings.of(app);
    Object.assign(lookout, { seen: { matched: 1 } });
    resolve();
    await (first as { later: Promise<void> }).later;
    expect(await beginnings.of(app)).toEqual({ seen: { matched: 1 } });
  });
});
