import { beforeEach, describe, expect, it } from '@jest/globals';
import { createShutdownStack, NotEnded, type ShutdownStack, startAll } from '../../src/lifecycle/shutdown-stack.ts';

let stack: ShutdownStack;
/** What ended, in the order of its end. */
let ended: string[];
let errors: [name: string, error: unknown][];
beforeEach(() => {
  ended = [];
  errors = [];
  stack = createShutdownStack((name, error) => void errors.push([name, error]));
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const push = (name: string, end: () => unknown = () => undefined, withinMs?: number) =>
  stack.push(
    name,
    async () => {
      await end();
      ended.push(name);
    },
    withinMs,
  );

describe('what was started', () => {
  it('is ended youngest first, each when the one before it has ended', async () => {
    void push('connection');
    void push('server', () => pause(10));
    void push('worker', () => pause(20));
    await stack.end();
    expect(ended).toEqual(['worker', 'server', 'connection']);
  });

  it('may be a part that is an object of a class', async () => {
    class Server {
      readonly #name = 'server';
      start(): void {}
      async stop(): Promise<void> {
        ended.push(this.#name);
      }
    }
    stack.run('server', new Server());
    await stack.end();
    expect([ended, errors]).toEqual([['server'], []]);
  });

  it('is ended once, however often that is asked for', async () => {
    void push('server', () => pause(10));
    await Promise.all([stack.end(), stack.end()]);
    await stack.end();
    expect(ended).toEqual(['server']);
  });

  it('is ended at once when the end has come already', async () => {
    await stack.end();
    await push('server', () => pause(10));
    expect(ended).toEqual(['server']);
  });

  it('is ended when it comes while the others are being ended', async () => {
    void push('worker', () => pause(20));
    const ending = stack.end();
    await push('server');
    await ending;
    expect(ended).toEqual(['server', 'worker']);
  });
});

describe('an end', () => {
  const broken = new Error('broken');

  it.each<[string, () => unknown, unknown]>([
    ['rejects', () => Promise.reject(broken), broken],
    [
      'throws',
      () => {
        throw broken;
      },
      broken,
    ],
    ['hangs', () => new Promise(() => undefined), new NotEnded(20)],
  ])('that %s is told with its name, and keeps nothing else from ending', async (_, end, error) => {
    void push('connection');
    void stack.push('server', end, 20);
    void push('worker');
    await stack.end();
    expect(ended).toEqual(['worker', 'connection']);
    expect(errors).toEqual([['server', error]]);
  });

  it('that is too late rejects in vain: nobody is told twice', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    void stack.push('server', () => promise, 10);
    await stack.end();
    reject(broken);
    await pause(10);
    expect(errors).toEqual([['server', new NotEnded(10)]]);
  });
});

describe('starting several things', () => {
  it('gives what they come to, and ends none of them', async () => {
    const started = await startAll(stack, async () => {
      void push('server');
      return 'all';
    });
    expect([started, ended]).toEqual(['all', []]);
  });

  it('that fails half-way ends those before, and throws why', async () => {
    const taken = new Error('the port is taken');
    const starting = startAll(stack, async () => {
      void push('connection');
      void push('server');
      throw taken;
    });
    await expect(starting).rejects.toBe(taken);
    expect(ended).toEqual(['server', 'connection']);
  });
});
