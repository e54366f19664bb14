import { describe, expect, it, jest } from '@jest/globals';
import { Beginnings } from '../../src/controller/beginnings.ts';

const app = { namespace: 'shop', name: 'cart', uid: 'u1' };

describe('what a workflow begins with', () => {
  it('is what its owner has seen, asked once until the workflow is there', async () => {
    const look = jest.fn(async () => ({ matched: 1 }));
    const beginnings = new Beginnings(look);
    expect(await beginnings.of(app)).toEqual({ seen: { matched: 1 } });
    expect(await beginnings.of(app)).toEqual({ seen: { matched: 1 } });
    expect(look).toHaveBeenCalledTimes(1);
    beginnings.forget(app.uid);
    await beginnings.of(app);
    expect(look).toHaveBeenCalledTimes(2);
  });

  it('is nothing where the look failed, was not offered, saw too much, or was long ago', async () => {
    const failed = new Beginnings(() => Promise.reject(new Error('no pods can be listed')));
    expect(await failed.of(app)).toEqual({});
    const absent = new Beginnings(async () => undefined);
    expect(await absent.of(app)).toEqual({});
    const large = new Beginnings(async () => ({ readings: ['x'.repeat(65_536)] }));
    expect(await large.of(app)).toEqual({});
    const old = new Beginnings(async () => ({ matched: 1 }));
    await old.of(app);
    const now = performance.now();
    const clock = jest.spyOn(performance, 'now').mockReturnValue(now + 11_000);
    expect(await old.of(app)).toEqual({});
    clock.mockRestore();
  });

  it('comes later where an app takes its time, and is there then', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    const beginnings = new Beginnings(() => promise);
    const first = await beginnings.of(app);
    resolve({ matched: 1 });
    await (first as { later: Promise<void> }).later;
    expect(await beginnings.of(app)).toEqual({ seen: { matched: 1 } });
  });
});
