import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../../src/domain/json.ts';
import {
  type ConditionName,
  conditionNamed,
  conditions,
  type Verdict,
} from '../../../src/domain/target-app/trigger-conditions.ts';

/** Values found now, [values found before,] value compared with, verdict. */
type LevelCase = [found: Json[], expected: Json, verdict: Verdict];
type EdgeCase = [now: Json[], before: Json[], expected: Json, verdict: Verdict];

const nothing: Json = null;
const long = `${'a'.repeat(4096)}b`;

const levels = {
  contains: [
    [['a,b'], 'b', true],
    [['a,b'], 'c', false],
    [['abc'], '', true],
    [[''], 'a', false],
    [[''], '', true],
    [[['a', 'b']], 'b', true],
    [[['a', { x: 1 }]], { x: 1 }, true],
    [[['a', 'b']], 'c', false],
    [[[]], 'a', false],
    [[[null]], null, true],
    [[null], 'a', false],
    [[], 'a', false],
    [[5], '5', 'mismatch'],
    [['5'], 5, 'mismatch'],
    [[[1, 2]], '1', 'mismatch'],
    [[{ a: 1 }], 'a', 'mismatch'],
    [['x', 'ab'], 'a', true],
  ],
  equals: [
    [['unhealthy'], 'unhealthy', true],
    [['healthy'], 'unhealthy', false],
    [['Unhealthy'], 'unhealthy', false],
    [[1], 1, true],
    [[0.5], 0.5, true],
    [[false], false, true],
    [[true], false, false],
    [[null], null, true],
    [[''], '', true],
    [[], null, false],
    [[], '', false],
    [[null], '', false],
    [[''], null, false],
    [[0], null, false],
    [['1'], 1, 'mismatch'],
    [[1], '1', 'mismatch'],
    [[''], 0, 'mismatch'],
    [[0], false, 'mismatch'],
    [['true'], true, 'mismatch'],
    [[{ a: 1, b: 2 }], { b: 2, a: 1 }, true],
    [[{ a: 1 }], { a: 1, b: 2 }, false],
    [[[1, 2]], [1, 2], true],
    [[[1, 2]], [2, 1], false],
    [[[]], {}, false],
    [['up', 'down'], 'down', true],
    [['up', 'up'], 'down', false],
    [[5, 'down'], 'down', true],
    [[5, 'up'], 'down', 'mismatch'],
  ],
  exists: [
    [['x'], nothing, true],
    [[null], nothing, true],
    [[''], nothing, true],
    [[false], nothing, true],
    [[], nothing, false],
  ],
  greater_or_equal: [
    [[5], 5, true],
    [[4.9], 5, false],
    [[null], 5, false],
    [[], 5, false],
    [['5'], 5, 'mismatch'],
    [[''], 0, 'mismatch'],
    [[1, 9], 5, true],
  ],
  greater_than: [
    [[10], 9, true],
    [[5], 5, false],
    [[-1], -2, true],
    [[null], -1, false],
    [[], 5, false],
    [['10'], 9, 'mismatch'],
    [[10], '9', 'mismatch'],
    [[''], -1, 'mismatch'],
    [[true], 0, 'mismatch'],
    [[1, 9], 5, true],
    [[1, 2], 5, false],
  ],
  in: [
    [['a'], ['a', 'b'], true],
    [['c'], ['a', 'b'], false],
    [[null], [null], true],
    [[null], ['a'], false],
    [[''], [''], true],
    [[''], [null], false],
    [['a'], [], false],
    [[], ['a', null], false],
    [[5], ['5', '6'], 'mismatch'],
    [[5], ['5', 6], false],
    [['a'], 'a', 'mismatch'],
    [['x', 'b'], ['a', 'b'], true],
  ],
  less_or_equal: [
    [[5], 5, true],
    [[6], 5, false],
    [[null], 5, false],
    [[], 5, false],
    [['5'], 5, 'mismatch'],
    [[''], 5, 'mismatch'],
    [[9, 1], 5, true],
  ],
  less_than: [
    [[9], 10, true],
    [[10], 10, false],
    [[null], 10, false],
    [[], 10, false],
    [['9'], 10, 'mismatch'],
    [[''], 10, 'mismatch'],
    [[99, 1], 10, true],
  ],
  matches: [
    [['v1.2.3'], '^v1\\.', true],
    [['v2.0.0'], '^v1\\.', false],
    [[''], '^$', true],
    [[null], '.*', false],
    [[], '.*', false],
    [[5], '5', 'mismatch'],
    [['5'], 5, 'mismatch'],
    [['x', 'err-7'], '^err-\\d$', true],
    [[long], 'b$', false],
  ],
  not_contains: [
    [['a,b'], 'c', true],
    [['a,b'], 'b', false],
    [[['a']], 'b', true],
    [[['a']], 'a', false],
    [[[]], 'a', true],
    [[null], 'a', true],
    [[''], 'a', true],
    [[], 'a', false],
    [[5], '5', 'mismatch'],
    [[[1]], '1', 'mismatch'],
    [['a', 'x'], 'a', true],
  ],
  not_equals: [
    [['healthy'], 'unhealthy', true],
    [['unhealthy'], 'unhealthy', false],
    [[null], 'x', true],
    [[''], null, true],
    [[null], '', true],
    [[null], null, false],
    [[''], '', false],
    [[], 'x', false],
    [[], null, false],
    [['5'], 5, 'mismatch'],
    [['a', 'b'], 'a', true],
    [['a', 'a'], 'a', false],
  ],
  not_exists: [
    [[], nothing, true],
    [[null], nothing, false],
    [[''], nothing, false],
    [['x'], nothing, false],
  ],
  not_in: [
    [['c'], ['a', 'b'], true],
    [['a'], ['a', 'b'], false],
    [[null], ['a'], true],
    [[null], [null], false],
    [[''], ['a'], true],
    [[], ['a'], false],
    [[5], ['5'], 'mismatch'],
    [['a'], 'a', 'mismatch'],
    [['a', 'x'], ['a'], true],
  ],
} satisfies Partial<Record<ConditionName, LevelCase[]>>;

const edges = {
  changed: [
    [['b'], ['a'], nothing, true],
    [['a'], ['a'], nothing, false],
    [[null], [], nothing, true],
    [[''], [null], nothing, true],
    [[''], [], nothing, true],
    [[], ['a'], nothing, true],
    [[], [], nothing, false],
    [['5'], [5], nothing, true],
    [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }], nothing, false],
    [['a', 'b'], ['a', 'c'], nothing, true],
    [['a', 'b'], ['a', 'b'], nothing, false],
  ],
  changed_from: [
    [['b'], ['a'], 'a', true],
    [['b'], ['c'], 'a', false],
    [['a'], ['a'], 'a', false],
    [[], ['a'], 'a', true],
    [['a'], [], 'a', false],
    [['a'], [null], null, true],
    [['a'], [], null, false],
    [['a'], [''], null, false],
    [['b'], ['5'], 5, 'mismatch'],
    [['up', 'x'], ['up', 'down'], 'down', true],
    [['x', 'down'], ['up', 'down'], 'down', false],
    [['up'], ['up', 'down'], 'down', true],
  ],
  changed_to: [
    [['b'], ['a'], 'b', true],
    [['c'], ['a'], 'b', false],
    [['b'], ['b'], 'b', false],
    [['b'], [], 'b', true],
    [[], ['a'], 'b', false],
    [[null], ['a'], null, true],
    [[''], ['a'], null, false],
    [[], ['a'], null, false],
    [[''], [null], '', true],
    [['5'], ['4'], 5, 'mismatch'],
    [['5'], ['5'], 5, false],
    [['up', 'down'], ['up', 'up'], 'down', true],
    [['down', 'slow'], ['down', 'up'], 'down', false],
    [['up', 'down'], ['down', 'up'], 'down', true],
    [['up', 'down'], ['up'], 'down', true],
    [['down'], ['up', 'down'], 'down', false],
  ],
  decreased: [
    [[1], [2], nothing, true],
    [[2], [2], nothing, false],
    [[3], [2], nothing, false],
    [[], [2], nothing, false],
    [[1], [], nothing, false],
    [[null], [2], nothing, false],
    [[1], [null], nothing, false],
    [['1'], ['2'], nothing, 'mismatch'],
    [[''], [2], nothing, 'mismatch'],
    [[5, 1], [5, 2], nothing, true],
  ],
  increased: [
    [[10], [9], nothing, true],
    [[9], [9], nothing, false],
    [[8], [9], nothing, false],
    [[], [2], nothing, false],
    [[3], [], nothing, false],
    [[null], [2], nothing, false],
    [[1], [null], nothing, false],
    [['10'], ['9'], nothing, 'mismatch'],
    [[10], [''], nothing, 'mismatch'],
    [[5, 3], [5, 2], nothing, true],
    [[1, 3], [1], nothing, false],
  ],
} satisfies Partial<Record<ConditionName, EdgeCase[]>>;

const absences = ['failing', 'noPods', 'unreachable'];

const has = (found: Json[]): string =>
  found.length === 0 ? 'nothing' : found.map((v) => JSON.stringify(v)).join(' | ');
const shortened = (found: Json[]): string => (has(found).length > 60 ? `${has(found).slice(0, 10)}…` : has(found));

const levelRows = Object.entries(levels).flatMap(([name, cases]) =>
  (cases as LevelCase[]).map(([found, expected, verdict]) => ({
    name,
    found,
    expected,
    verdict,
    shows: shortened(found),
  })),
);
const edgeRows = Object.entries(edges).flatMap(([name, cases]) =>
  (cases as EdgeCase[]).map(([now, before, expected, verdict]) => ({
    name,
    now,
    before,
    expected,
    verdict,
    shows: `${has(before)} -> ${has(now)}`,
  })),
);

describe('conditions', () => {
  it('have a row here for every entry of the table, in alphabetical order there', () => {
    const names = Object.keys(conditions);
    expect([...Object.keys(levels), ...Object.keys(edges), ...absences].sort()).toEqual(names);
    expect(names).toEqual([...names].sort());
  });

  it.each([...Object.entries(levels), ...Object.entries(edges)])(
    '%s has rows for true, false, absent, null and the empty string',
    (_, cases) => {
      const verdicts = cases.map((row) => row.at(-1));
      const found = cases.flatMap((row) => [row[0] as Json[], ...(row.length > 3 ? [row[1] as Json[]] : [])]);
      expect(verdicts).toEqual(expect.arrayContaining([true, false]));
      expect(found).toEqual(expect.arrayContaining([[], [null], ['']]));
    },
  );

  it.each(levelRows)('$name $expected is $verdict of $shows', ({ name, found, expected, verdict }) => {
    const condition = conditionNamed(name);
    expect(condition?.kind === 'level' && condition.holds(found, expected)).toBe(verdict);
  });

  it.each(edgeRows)('$name $expected is $verdict of $shows', ({ name, now, before, expected, verdict }) => {
    const condition = conditionNamed(name);
    expect(condition?.kind === 'edge' && condition.holds(now, before, expected)).toBe(verdict);
  });

  it.each(['nonsense', 'constructor', 'toString', ''])('%j is no condition', (name) => {
    expect(conditionNamed(name)).toBeUndefined();
  });

  it.each(absences)('%s is about the lack of a state, of which kind its name says', (name) => {
    expect(conditionNamed(name)).toEqual({ kind: 'absence', of: name, value: 'none' });
  });
});
