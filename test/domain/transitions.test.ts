import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equal } from '../../src/domain/diff.ts';
import type { Json } from '../../src/domain/json.ts';
import { valuesAt } from '../../src/domain/path.ts';
import { transitionsAt } from '../../src/domain/transitions.ts';

const nodes = (...states: string[]): Json => ({ nodes: states.map((s) => ({ s })) });

describe('the transitions at a path', () => {
  it.each<[string, string, Json, Json, unknown[]]>([
    ['a field', 'a.b', { a: { b: 1 } }, { a: { b: 2 } }, [{ path: 'a.b', before: 1, after: 2 }]],
    ['nothing where nothing changed', 'a.b', { a: { b: 1, c: 1 } }, { a: { b: 1, c: 2 } }, []],
    ['a field of what was null', 'a.h', { a: null }, { a: { h: 'bad' } }, [{ path: 'a.h', after: 'bad' }]],
    ['a field of what became null', 'a.h', { a: { h: 'bad' } }, { a: null }, [{ path: 'a.h', before: 'bad' }]],
    ['a null that came, which is not absence', 'a', {}, { a: null }, [{ path: 'a', after: null }]],
    ['an object as a whole', 'a', { a: { b: 1 } }, { a: { b: 2 } }, [{ path: 'a', before: { b: 1 }, after: { b: 2 } }]],
    [
      'the element that it names',
      'nodes[1].s',
      nodes('up', 'up'),
      nodes('up', 'down'),
      [{ path: 'nodes[1].s', before: 'up', after: 'down' }],
    ],
    [
      'each element of a list',
      'nodes[*].s',
      nodes('up', 'up', 'up'),
      nodes('down', 'up', 'down'),
      [
        { path: 'nodes[0].s', before: 'up', after: 'down' },
        { path: 'nodes[2].s', before: 'up', after: 'down' },
      ],
    ],
    [
      'an element that changed while the list grew',
      'nodes[*].s',
      nodes('up', 'up'),
      nodes('down', 'up', 'new'),
      [
        { path: 'nodes[0].s', before: 'up', after: 'down' },
        { path: 'nodes[2].s', after: 'new' },
      ],
    ],
    [
      'an element that came last',
      'nodes[*].s',
      nodes('a', 'b'),
      nodes('a', 'b', 'c'),
      [{ path: 'nodes[2].s', after: 'c' }],
    ],
    [
      'an element that came first',
      'nodes[*].s',
      nodes('a', 'b'),
      nodes('c', 'a', 'b'),
      [{ path: 'nodes[0].s', after: 'c' }],
    ],
    [
      'an element that went',
      'nodes[*].s',
      nodes('a', 'b', 'c'),
      nodes('a', 'c'),
      [{ path: 'nodes[1].s', before: 'b' }],
    ],
    ['elements of a list that was not there', 'nodes[*].s', {}, nodes('a'), [{ path: 'nodes[0].s', after: 'a' }]],
    [
      'elements of lists of lists',
      'a[*][*]',
      { a: [[1], [2]] },
      { a: [[1], [3]] },
      [{ path: 'a[1][0]', before: 2, after: 3 }],
    ],
    ['nothing at a text that is no path', '[', { a: 1 }, { a: 2 }, []],
  ])('are %s', (_, path, before, after, transitions) => {
    expect(transitionsAt(path, before, after)).toEqual(transitions);
  });

  it('are none exactly where the values are the same, in their order', () => {
    const state = fc.record(
      {
        f: fc.constantFrom<Json>(null, 1, 'x'),
        l: fc.array(fc.record({ s: fc.constantFrom('a', 'b') }, { requiredKeys: [] }), { maxLength: 4 }),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Json>;
    fc.assert(
      fc.property(state, state, fc.constantFrom('f', 'l[*].s', 'l[0].s', 'l'), (before, after, path) => {
        const found = transitionsAt(path, before, after);
        if (found.length === 0) expect(equal(valuesAt(before, path), valuesAt(after, path))).toBe(true);
        for (const { path: at, before: was, after: is } of found) {
          if (was !== undefined) expect(valuesAt(before, path)).toContainEqual(was);
          if (is !== undefined) expect(valuesAt(after, at)).toEqual([is]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
