import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changesBetween, changesOf, comparable, equal, maxChanges, scalarsOf } from '../../src/domain/diff.ts';
import { isIgnored } from '../../src/domain/ignored.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/domain/json.ts';

const long = 'x'.repeat(300);
const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;

describe('changesBetween', () => {
  it.each<[string, Json, Json, unknown[]]>([
    ['nothing in equal states', { a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, []],
    ['a field that came', {}, { a: 1 }, [{ path: 'a', after: 1 }]],
    ['a field that went', { a: 1 }, {}, [{ path: 'a', before: 1 }]],
    ['a field that changed', { a: { b: 1 } }, { a: { b: 2 } }, [{ path: 'a.b', before: 1, after: 2 }]],
    ['a change to null, which is not absence', { a: 1 }, { a: null }, [{ path: 'a', before: 1, after: null }]],
    ['a null that went', { a: null }, {}, [{ path: 'a', before: null }]],
    ['null to the empty string', { a: null }, { a: '' }, [{ path: 'a', before: null, after: '' }]],
    ['a number that became text', { a: 5 }, { a: '5' }, [{ path: 'a', before: 5, after: '5' }]],
    ['an object that became null', { a: { b: 1 } }, { a: null }, [{ path: 'a', before: { b: 1 }, after: null }]],
    ['an object that became a list', { a: {} }, { a: [] }, [{ path: 'a', before: {}, after: [] }]],
    ['a state that became another thing', 1, 2, [{ path: '', before: 1, after: 2 }]],
    ['an element of a list of one length', { a: [1, 2] }, { a: [1, 3] }, [{ path: 'a[1]', before: 2, after: 3 }]],
    [
      'a field of an element',
      { n: [{ s: 'up' }, { s: 'up' }] },
      { n: [{ s: 'up' }, { s: 'down' }] },
      [{ path: 'n[1].s', before: 'up', after: 'down', trouble: true }],
    ],
    ['a list of lists', { a: [[1], [2]] }, { a: [[1], [3]] }, [{ path: 'a[1][0]', before: 2, after: 3 }]],
    ['a longer list as one change', { a: [2] }, { a: [1, 2] }, [{ path: 'a', before: [2], after: [1, 2] }]],
    ['a field that objects inherit', { toString: 'a' }, {}, [{ path: 'toString', before: 'a' }]],
    ['a field named as what objects inherit', {}, { valueOf: 1 }, [{ path: 'valueOf', after: 1 }]],
  ])('names %s', (_, before, after, changes) => {
    expect(changesBetween(before, after)).toEqual(changes);
  });

  it.each<[string, string[], string[]]>([
    ['a field', ['latency'], ['nodes[0].latency', 'nodes[0].status']],
    ['all that lies below it', ['nodes'], ['latency']],
    ['a field of any element, without index', ['nodes.latency', 'latency'], ['nodes[0].status']],
    ['a field of any element, with [*]', ['nodes[*].latency', 'latency'], ['nodes[0].status']],
    ['a field of an element, whatever its index', ['nodes[7].latency', 'latency'], ['nodes[0].status']],
    ['not what only begins like it', ['lat', 'node'], ['latency', 'nodes[0].latency', 'nodes[0].status']],
  ])('ignores %s', (_, ignored, left) => {
    const state = (n: number): Json => ({ latency: n, nodes: [{ latency: n, status: `${n}` }] });
    expect(changesBetween(state(1), state(2), ignored).map(({ path }) => path)).toEqual(left);
  });

  it.each<[string, Json, Json]>([
    ['long text by its beginning', long, `${'x'.repeat(256)}…`],
    ['a large object by its size', { a: long, b: 1 }, '{2 fields}'],
    ['a large list by its length', [long, 1, 2], '[3 items]'],
    ['a short object as it is', { a: 1 }, { a: 1 }],
    ['text at the limit as it is', 'x'.repeat(256), 'x'.repeat(256)],
  ])('carries %s', (_, value, shown) => {
    expect(changesBetween({ a: value }, { a: true })).toEqual([{ path: 'a', before: shown, after: true }]);
  });

  it('carries a long path by its beginning', () => {
    expect(changesBetween({ [long]: 1 }, { [long]: 2 })).toEqual([
      { path: `${'x'.repeat(256)}…`, before: 1, after: 2 },
    ]);
  });

  it('finds nothing exactly when states are equal, and the same paths both ways', () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        const there = changesBetween(a, b);
        expect(there.length === 0).toBe(equal(a, b));
        expect(
          changesBetween(b, a)
            .map(({ path }) => path)
            .sort(),
        ).toEqual(there.map(({ path }) => path).sort());
      }),
      { numRuns: 200 },
    );
  });
});

describe('changesOf', () => {
  const fields = (count: number, value: Json): JsonObject =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, value]));
  const pair = (before: Json, after: Json, subject = 'u') => ({ subject, before, after });

  it('names those of each subject, less those that are to be ignored', () => {
    expect(changesOf([pair({ a: 1, b: 1 }, { a: 2, b: 2 }), pair(1, 1, 'v')], ['b'])).toEqual({
      u: { changes: [{ path: 'a', before: 1, after: 2 }] },
      v: { changes: [] },
    });
  });

  it('puts first what means trouble, and says how many it does not name', () => {
    const before = { ...fields(80, 1), z: 'ok' };
    const { u } = changesOf([pair(before, { ...fields(80, 2), z: 'unhealthy' })], []);
    expect(u?.changes).toHaveLength(maxChanges);
    expect(u?.changes[0]).toEqual({ path: 'z', before: 'ok', after: 'unhealthy', trouble: true });
    expect(u?.more).toBe(81 - maxChanges);
  });

  it('is bounded over all subjects together, each of which has its share', () => {
    const large = Array.from({ length: 200 }, (_, i) =>
      pair({ ...fields(60, 'ä'.repeat(200)), z: 'ok' }, { ...fields(60, 'ö'.repeat(200)), z: 'down' }, `u${i}`),
    );
    const changes = changesOf([...large, pair({ a: 1 }, { a: 2 }, 'small')], []);
    expect(Buffer.byteLength(JSON.stringify(changes))).toBeLessThan(160 * 1024);
    expect(changes['small']).toEqual({ changes: [{ path: 'a', before: 1, after: 2 }] });
    for (const { subject } of large) {
      const { changes: named = [], more = 0 } = changes[subject] ?? {};
      expect(named[0]).toEqual({ path: 'z', before: 'ok', after: 'down', trouble: true });
      expect(named.length + more).toBe(61);
    }
  });
});

describe('equal', () => {
  it('is reflexive over copies, symmetric, and agrees with JSON of sorted keys', () => {
    const canonical = (value: Json): string =>
      JSON.stringify(value, (_, v) =>
        isJsonObject(v) ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1))) : v,
      );
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(equal(a, structuredClone(a))).toBe(true);
        expect(equal(a, b)).toBe(equal(b, a));
        expect(equal(a, b)).toBe(canonical(a) === canonical(b));
      }),
      { numRuns: 300 },
    );
  });

  it.each<[Json | undefined, Json | undefined, boolean]>([
    [undefined, undefined, true],
    [undefined, null, false],
    [null, '', false],
    [1, '1', false],
    [{ a: 1 }, { b: 1 }, false],
    [[], {}, false],
    [[1], [1, 2], false],
  ])('of %j and %j is %j', (a, b, same) => {
    expect(equal(a, b)).toBe(same);
  });
});

describe('comparable', () => {
  const state: Json = { app: { health: 'ok', latency: 5 }, peers: [{ id: 1, ping: 2 }] };

  it.each<[string, string[], string[], Json]>([
    ['all of a state without ignored fields', [], [], state],
    ['what is not ignored', ['app.latency', 'peers.ping'], [], { app: { health: 'ok' }, peers: [{ id: 1 }] }],
    ['an ignored field that a rule reads', ['app.latency'], ['app.latency'], state],
    ['an ignored field below which a rule reads', ['peers'], ['peers[*].ping'], state],
    [
      'not what only lies beside what a rule reads',
      ['app.latency'],
      ['app.lat'],
      { app: { health: 'ok' }, peers: [{ id: 1, ping: 2 }] },
    ],
    [
      'not what lies below what a rule reads',
      ['app.latency'],
      ['app'],
      { app: { health: 'ok' }, peers: [{ id: 1, ping: 2 }] },
    ],
  ])('keeps %s', (_, ignored, read, kept) => {
    expect(comparable(state, ignored, read)).toEqual(kept);
  });

  it('differs only where there is a change', () => {
    const states = fc.record({ a: json, b: json, c: fc.array(fc.record({ d: json, e: json })) });
    fc.assert(
      fc.property(states, states, (x, y) => {
        const ignored = ['b', 'c.d'];
        const same = equal(comparable(x, ignored, []), comparable(y, ignored, []));
        if (same) expect(changesBetween(x, y, ignored).filter(({ path }) => path !== 'c')).toEqual([]);
        else expect(changesBetween(x, y, ignored)).not.toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('isIgnored', () => {
  it('is nothing without ignored fields', () => {
    expect(isIgnored('a', [])).toBe(false);
  });
});

describe('scalarsOf', () => {
  it('shows scalars by path, and of lists their length', () => {
    const state: Json = { a: { b: 1, c: null, e: {} }, d: [1, 2], s: 'y'.repeat(200), secret: 1 };
    expect(scalarsOf(state, ['secret'], 16)).toEqual({
      'a.b': 1,
      'a.c': null,
      d: '[2 items]',
      s: `${'y'.repeat(128)}…`,
    });
  });

  it('shows no more than it may', () => {
    expect(scalarsOf({ a: 1, b: { c: 2, d: 3 }, e: 4 }, [], 2)).toEqual({ a: 1, 'b.c': 2 });
  });
});
