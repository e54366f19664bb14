import { afterEach, describe, expect, it } from '@jest/globals';
import { AppLookout } from '../../../src/activities/target-app/lookout.ts';
import { Wheel } from '../../../src/activities/target-app/wheel.ts';
import type { Observation, ObserveInput } from '../../../src/domain/target-app/observation.ts';
import { planned, spec } from '../../support/target-app-manifest.ts';
import { until } from '../../support/until.ts';

const app = { namespace: 'shop', name: 'cart', uid: 'u1' };
const plan = planned(spec({ pollingInterval: 1 }), 1, { turnMs: 1 });
const first: Observation = {
  matched: 0,
  plan,
  readings: [{ subject: 'app', name: 'cart', hash: 'h1', state: { v: 1 } }],
};

const made: AppLookout[] = [];
afterEach(() => {
  for (const lookout of made.splice(0)) lookout.end();
});

/** A lookout whose polls see what the list says, the last of it again and again; an error is thrown. */
function lookoutThat(sees: (Error | Observation)[]) {
  const asked: ObserveInput[] = [];
  const its = { asked, news: 0, isMine: true, changed: new Set<string>(), warnings: 0 };
  const lookout = new AppLookout(app, () => void its.news++, {
    observe: async (input) => {
      const seen = sees[Math.min(asked.length, sees.length - 1)] as Error | Observation;
      asked.push(input);
      if (seen instanceof Error) throw seen;
      return seen;
    },
    apps: {
      find: async () => ({ metadata: { ...app, generation: 1 }, spec: {}, mirror: [] }),
      effectiveSpec: () => ({ generation: 1, plan }),
    },
    wheel: new Wheel(),
    places: (_, work) => work(),
    searchAttributes: () => ['Reason'],
    duePolls: { expect: () => undefined },
    owns: () => its.isMine,
    changed: its.changed,
    ending: new AbortController().signal,
    log: { warning: () => void its.warnings++ },
  });
  made.push(lookout);
  return { lookout, its };
}

describe('a TargetApp whose workflow has not begun', () => {
  it('is polled with its interval, and what differs is news, once: the workflow begins with what was seen first', async () => {
    const other: Observation = {
      matched: 0,
      readings: [{ subject: 'app', name: 'cart', hash: 'h2', state: { v: 2 } }],
    };
    const { lookout, its } = lookoutThat([first, { matched: 0 }, { matched: 0 }, other]);
    await lookout.looked;
    expect(lookout.seen).toBe(first);
    await until('it has news', () => its.news > 0);
    expect(its.asked).toHaveLength(4);
    expect(its.asked[0]).toMatchObject({ app, known: {}, attributes: ['Reason'] });
    expect(its.asked[3]).toMatchObject({ app, known: { app: 'h1' }, plan: plan.digest, attributes: ['Reason'] });
    const [, second, third] = its.asked.map(({ due }) => due);
    expect((third ?? 0) - (second ?? 0)).toBe(1_000);
    expect([lookout.seen, [...its.changed]]).toEqual([first, [app.uid]]);
  });

  it('goes on being polled where a poll fails', async () => {
    const { its } = lookoutThat([first, new Error('no pods can be listed'), { matched: 1 }]);
    await until('it has news', () => its.news > 0);
    expect([its.asked.length, its.warnings]).toEqual([3, 1]);
  });

  it.each([
    ['its first look fails', [new Error('no pods can be listed')], undefined],
    ['it is stopped', [{ matched: 0, unasked: 'stopped' as const }], { matched: 0, unasked: 'stopped' }],
    ['it is gone', [{ matched: 0, deleted: true as const }], { matched: 0, deleted: true }],
  ])('is not polled again where %s', async (_, sees, seen) => {
    const { lookout, its } = lookoutThat(sees);
    await lookout.looked;
    // Its next poll would be due within the second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect([its.asked.length, its.news, lookout.seen]).toEqual([1, 0, seen]);
  });

  it.each<[string, (lookout: AppLookout, its: { isMine: boolean }) => void]>([
    ['its workflow is there', (lookout) => lookout.end()],
    [
      'another replica looks after it',
      (_, its) => {
        its.isMine = false;
      },
    ],
  ])('is polled until %s', async (_, happens) => {
    const { lookout, its } = lookoutThat([first, { matched: 0 }]);
    await until('it is polled again', () => its.asked.length === 2);
    happens(lookout, its);
    const before = its.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 2_300));
    // One poll at most was waiting for its tick already.
    expect(its.asked.length - before).toBeLessThanOrEqual(1);
  });
});
