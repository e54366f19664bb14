import { afterEach, describe, expect, it } from '@jest/globals';
import { createWorkQueue, type WorkQueue, type WorkQueueOptions } from '../../src/controller/work-queue.ts';
import { eventually } from '../servers/processes.ts';

const fast = { perSecond: 10_000, burst: 10_000 };
let queue: WorkQueue<string> | undefined;
afterEach(() => queue?.stop());

/** A queue of words whose work is to be remembered, or to fail as told. */
const queueOf = (
  work: (word: string) => Promise<void>,
  options: Partial<Pick<WorkQueueOptions<string>, 'concurrency' | 'rankOf' | 'rate'>> = {},
) => {
  const errors: string[] = [];
  queue = createWorkQueue<string>({
    work,
    merge: (waiting, added) => `${waiting}+${added}`,
    onError: (_, key) => errors.push(key),
    rankOf: options.rankOf,
    concurrency: options.concurrency ?? 4,
    rate: options.rate ?? fast,
  });
  return { queue, errors };
};

describe('a work queue', () => {
  it('does every item once, in the order of their coming', async () => {
    const done: string[] = [];
    const { queue } = queueOf(async (word) => void done.push(word), { concurrency: 1 });
    for (const word of ['a', 'b', 'c']) queue.add(word, word);
    await eventually('three items', () => done.length === 3 && queue.size === 0);
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('does what is of the first rank first, and those of one rank in the order of their coming', async () => {
    const done: string[] = [];
    const rankOf = (word: string) => ['now', 'new', 'old'].findIndex((rank) => word.includes(rank));
    const { queue } = queueOf(async (word) => void done.push(word), { concurrency: 1, rankOf });
    for (const word of ['old 1', 'new 1', 'now 1', 'old 2', 'new 2', 'now 2']) queue.add(word, word);
    queue.add('old 2', 'now 3');
    await eventually('all of them', () => queue.size === 0);
    expect(done).toEqual(['now 1', 'now 2', 'old 2+now 3', 'new 1', 'new 2', 'old 1']);
  });

  it('joins what waits under one key, and never works on one key twice at once', async () => {
    const begun: string[] = [];
    const gate = Promise.withResolvers<void>();
    let busy = 0;
    let most = 0;
    const { queue } = queueOf(async (word) => {
      busy += 1;
      most = Math.max(most, busy);
      begun.push(word);
      if (word === 'first') await gate.promise;
      busy -= 1;
    });
    queue.add('key', 'first');
    await eventually('the first to begin', () => begun.length === 1);
    queue.add('key', 'second');
    queue.add('key', 'third');
    gate.resolve();
    await eventually('all to be done', () => queue.size === 0);
    expect(begun).toEqual(['first', 'second+third']);
    expect(most).toBe(1);
  });

  it('tries an item again until it succeeds, and loses none of those that came meanwhile', async () => {
    const done: string[] = [];
    let failures = 2;
    const { queue, errors } = queueOf(async (word) => {
      if (word.startsWith('stubborn') && failures > 0) {
        failures -= 1;
        throw new Error('not yet');
      }
      done.push(word);
    });
    queue.add('a', 'stubborn');
    queue.add('b', 'easy');
    await eventually('both', () => done.length === 2);
    expect(done.sort()).toEqual(['easy', 'stubborn']);
    expect(errors).toEqual(['a', 'a']);
  });

  it('counts each key that is not done once, be it waiting, under way or to be tried again', async () => {
    const gate = Promise.withResolvers<void>();
    let isAway = true;
    const { queue, errors } = queueOf(
      async (word) => {
        if (word === 'slow') await gate.promise;
        else if (isAway) throw new Error('away');
      },
      { concurrency: 2 },
    );
    queue.add('a', 'stubborn');
    await eventually('it to fail', () => errors.length === 1);
    expect(queue.size).toBe(1);
    queue.add('b', 'slow');
    queue.add('c', 'slow');
    queue.add('d', 'slow');
    expect(queue.size).toBe(4);
    isAway = false;
    gate.resolve();
    await eventually('all to be done', () => queue.size === 0);
  });

  it('keeps the older of two when the newer came while it failed', async () => {
    const done: string[] = [];
    const failing = Promise.withResolvers<void>();
    let first = true;
    const { queue } = queueOf(async (word) => {
      if (first) {
        first = false;
        await failing.promise;
      }
      done.push(word);
    });
    queue.add('key', 'old');
    await eventually('the first to begin', () => queue.size === 1 && !first);
    queue.add('key', 'new');
    failing.reject(new Error('no'));
    await eventually('the rest', () => done.length === 1);
    expect(done).toEqual(['old+new']);
  });

  it('begins no more than the rate allows', async () => {
    const at: number[] = [];
    const { queue } = queueOf(async () => void at.push(performance.now()), { rate: { perSecond: 50, burst: 2 } });
    for (let i = 0; i < 7; i += 1) queue.add(`key-${i}`, 'word');
    await eventually('all', () => at.length === 7);
    // Two at once, five more at 20 ms each; a slow machine only makes it longer.
    expect((at[6] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(80);
  });
});
