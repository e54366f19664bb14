import { describe, expect, it } from '@jest/globals';
import { isSamePath, pathsOverlap } from '../../../src/domain/path.ts';
import type { CompiledSpec } from '../../../src/domain/target-app/compiled-spec.ts';
import { changedPairs, step } from '../../../src/domain/target-app/decide.ts';
import { fingerprintOf, newMemory } from '../../../src/domain/target-app/memory.ts';
import { aPlan, appUid, aRule, at, fails, healthy, reading, uidOf, unhealthy } from '../../support/domain.ts';

describe('one step', () => {
  const seen = { matched: 1, readings: [reading('a', unhealthy)] };

  it.each<[string, Partial<CompiledSpec>, number]>([
    ['decides', {}, 1],
    ['decides nothing while suspended', { suspend: true }, 0],
    ['decides nothing before the end of a suspension', { suspendUntil: at(1) }, 0],
    ['decides after the end of a suspension', { suspendUntil: at(0) }, 1],
    ['decides nothing on a spec to mend', { problems: [{ field: 'spec', message: 'is wrong' }] }, 0],
  ])('%s', (_, plan, count) => {
    const { decisions } = step(appUid, newMemory(), { ...seen, plan: aPlan(plan) }, at(0));
    expect(decisions).toHaveLength(count);
  });

  it('decides nothing while an update holds it', () => {
    expect(
      step(appUid, { ...newMemory(), suspendedByUpdate: true }, { ...seen, plan: aPlan() }, at(0)).decisions,
    ).toEqual([]);
  });

  it('decides nothing without a plan, but takes in what was seen', () => {
    const { decisions, memory } = step(appUid, newMemory(), { matched: 3, pollRequested: 'now' }, at(0));
    expect(decisions).toEqual([]);
    expect(memory).toMatchObject({ matched: 3, pollRequested: 'now', lastPoll: at(0) });
  });

  it('keeps the request for a poll that was answered last', () => {
    const { memory } = step(appUid, { ...newMemory(), pollRequested: 'now' }, { matched: 0 }, at(0));
    expect(memory.pollRequested).toBe('now');
  });

  it('knows the name of a pod of which nobody can say whether it exists, and does not decide on what it said last', () => {
    const plan = aPlan({ rules: [aRule({ forMs: 60_000 })] });
    const first = step(appUid, newMemory(), { ...seen, plan }, at(0)).memory;
    const lost = { matched: 0, readings: [{ ...reading('a', fails()), name: '' }] };
    const { memory, decisions } = step(appUid, first, lost, at(90));
    expect(decisions.filter(({ kind }) => kind === 'fire')).toEqual([]);
    expect(memory.subjects[uidOf('a')]).toMatchObject({ name: 'a', failure: { class: 'Timeout' } });
    expect(step(appUid, memory, seen, at(120)).decisions).toMatchObject([{ kind: 'fire' }]);
  });

  it('puts Events behind those that are not recorded yet', () => {
    const first = step(appUid, newMemory(), { ...seen, plan: aPlan() }, at(0)).memory;
    const second = step(appUid, first, { matched: 1, readings: [reading('a', healthy)] }, at(30)).memory;
    expect(second.outbox.map(({ reason }) => reason)).toEqual(['TriggerFired', 'StateChanged', 'TriggerRecovered']);
  });
});

describe('the states to compare', () => {
  it.each([
    ['a baseline', { state: 1 }],
    ['a failed observation', { previous: 1, state: 2, ...fails() }],
    ['a pod that never answered', { previous: 1 }],
  ])('are not those of %s', (_, view) => {
    expect(changedPairs([{ subject: 'u', name: 'p', ...view }])).toEqual([]);
  });

  it('are those of a pod with two', () => {
    const view = { subject: 'u', name: 'p', previous: { a: 1 }, state: { a: 2 } };
    expect(changedPairs([view])).toEqual([{ subject: 'u', before: { a: 1 }, after: { a: 2 } }]);
  });
});

describe('a fingerprint', () => {
  it.each([
    [{}, ''],
    [{ hash: 'h' }, 'h'],
    [{ hash: 'h', ...fails('Timeout') }, 'h!Timeout'],
    [fails('Timeout'), '!Timeout'],
  ])('of %j is %j', (memory, fingerprint) => {
    expect(fingerprintOf({ name: 'p', ...memory })).toBe(fingerprint);
  });
});

describe('two paths', () => {
  it.each([
    ['a.b', 'a.b', true, true],
    ['a.b', 'a.c', false, false],
    ['a', 'a.b', false, true],
    ['a[0]', 'a[*]', true, true],
    ['a[*].b', 'a[3].b', true, true],
    ['a[0]', 'a[1]', false, false],
    ['a[0]', 'a.b', false, false],
    ['a[*]', 'a.b', false, false],
    ['a', 'ab', false, false],
    ['a', 'not a path', false, true],
  ])('%s and %s are the same: %s, overlap: %s', (a, b, isSame, overlap) => {
    expect([isSamePath(a, b), isSamePath(b, a)]).toEqual([isSame, isSame]);
    expect([pathsOverlap(a, b), pathsOverlap(b, a)]).toEqual([overlap, overlap]);
  });
});
