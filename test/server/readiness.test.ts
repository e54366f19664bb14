import { describe, expect, it } from '@jest/globals';
import type { WatchScope } from '../../src/clients/kubernetes/informer/informer.ts';
import type { CheckResult } from '../../src/server/checks.ts';
import { apart, watchesCheck, workersCheck, worse } from '../../src/server/readiness.ts';

const well = (namespace?: string): WatchScope => ({ namespace, hasSynced: true, stalenessMs: 5_000 });
const forbidden = (namespace?: string): WatchScope => ({
  namespace,
  hasSynced: false,
  stalenessMs: Number.POSITIVE_INFINITY,
  trouble: 'forbidden',
});
const interrupted = (namespace: string | undefined, stalenessMs: number): WatchScope => ({
  ...well(namespace),
  stalenessMs,
  trouble: 'no answer',
});
const unlisted = (namespace?: string): WatchScope => ({
  namespace,
  hasSynced: false,
  stalenessMs: Number.POSITIVE_INFINITY,
});

describe('the watches of a resource', () => {
  it.each<[string, WatchScope[], CheckResult]>([
    ['all are well', [well('a'), well('b')], { ok: true }],
    ['one namespace is forbidden', [well('a'), forbidden('b')], { ok: true, degraded: true, message: 'b: forbidden' }],
    [
      'one is interrupted, however long',
      [well('a'), interrupted('b', 900_000)],
      { ok: true, degraded: true, message: 'b: no answer' },
    ],
    [
      'the only one is interrupted',
      [interrupted(undefined, 2_000)],
      { ok: true, degraded: true, message: 'no answer' },
    ],
    [
      'the only one has been interrupted for long',
      [interrupted(undefined, 90_000)],
      { ok: false, message: 'no answer' },
    ],
    ['all are forbidden', [forbidden('a'), forbidden('b')], { ok: false, message: 'a: forbidden; b: forbidden' }],
    ['a first list is under way', [well('a'), unlisted('b')], { ok: false, message: 'b: not listed yet' }],
    ['the only one is not listed yet', [unlisted()], { ok: false, message: 'not listed yet' }],
  ])('when %s', (_, scopes, expected) => {
    expect(watchesCheck(scopes)).toEqual(expected);
  });

  it('names some of many', () => {
    const scopes = [well('a'), ...Array.from({ length: 40 }, (_, n) => forbidden(`n${n}`))];
    expect(watchesCheck(scopes).message).toMatch(/^n0: forbidden; .*; n4: forbidden; and 35 more$/);
  });
});

describe('parts that work without each other', () => {
  const results = (checks: Record<string, CheckResult>) =>
    Object.values(apart(Object.fromEntries(Object.entries(checks).map(([name, result]) => [name, () => result])))).map(
      (check) => check(),
    );

  it('leave the rest ready while one is well', () => {
    expect(results({ a: { ok: true }, b: { ok: false, message: 'gone' } })).toEqual([
      { ok: true },
      { ok: true, degraded: true, message: 'gone' },
    ]);
  });

  it('are not ready when none is', () => {
    expect(results({ a: { ok: false }, b: { ok: false } })).toEqual([{ ok: false }, { ok: false }]);
  });
});

describe('the worse of two results', () => {
  const [good, partly, bad] = [{ ok: true }, { ok: true, degraded: true }, { ok: false }];
  it.each([
    [good, good, good],
    [good, partly, partly],
    [good, bad, bad],
    [partly, bad, partly],
    [bad, partly, bad],
  ])('of %j and %j is %j', (first, second, expected) => {
    expect(worse(first, second)).toBe(expected);
  });
});

describe('the workers', () => {
  it('are named by what they do when they are not well', () => {
    const isRunning = (state: string) => state === 'RUNNING';
    expect(workersCheck({ actions: 'RUNNING', polls: 'RUNNING' }, isRunning)).toEqual({ ok: true });
    expect(workersCheck({ actions: 'FAILED', polls: 'RUNNING', reports: 'CONNECTING' }, isRunning)).toEqual({
      ok: false,
      message: 'the worker of actions is FAILED, the worker of reports is CONNECTING',
    });
  });
});
