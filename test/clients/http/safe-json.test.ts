import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseSafely } from '../../../src/clients/http/safe-json.ts';

const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;

describe('parsing JSON that is not trusted', () => {
  it.each([
    ['an ordinary document', '{"a":[1,"x",null,true,{"b":-2.5e-3}]}', { a: [1, 'x', null, true, { b: -0.0025 }] }],
    ['a byte order mark, which it skips', '\ufeff{"a":1}', { a: 1 }],
    ['the largest safe integers', '[9007199254740991,-9007199254740991]', [9007199254740991, -9007199254740991]],
    ['keys that only resemble forbidden ones', '{"proto":1,"constructors":2}', { proto: 1, constructors: 2 }],
    ['forbidden words as values', '{"a":"__proto__"}', { a: '__proto__' }],
    [
      'colons, quotes and backslashes inside strings',
      '{"a:\\"b":"c\\\\","d":":\\\\\\":"}',
      { 'a:"b': 'c\\', d: ':\\":' },
    ],
    ['the same key in different objects', '{"a":{"x":1},"b":{"x":1}}', { a: { x: 1 }, b: { x: 1 } }],
    ['a lone surrogate, which it replaces', '{"a":"x\\ud800y","b":["\\uDFFF"]}', { a: 'x\ufffdy', b: ['\ufffd'] }],
    ['a lone surrogate as the whole document', '"\\ud800"', '\ufffd'],
    ['a surrogate pair, which it keeps', '"\\ud83d\\ude00"', '😀'],
    ['32 levels', nested(32), JSON.parse(nested(32))],
  ])('takes %s', (_, text, value) => {
    expect(parseSafely(text)).toEqual({ ok: true, value, unsafe: [] });
  });

  it.each<[string, string, unknown, (string | number)[][]]>([
    ['2^53 + 1', '{"a":9007199254740993,"b":1}', { a: null, b: 1 }, [['a']]],
    ['-2^53', '[1,-9007199254740992]', [1, null], [[1]]],
    ['1e400', '{"a":{"b":[1e400]}}', { a: { b: [null] } }, [['a', 'b', 0]]],
    ['-1e400 as the whole document', '-1e400', null, [[]]],
    [
      'several, and a lone surrogate',
      '{"a":"x\\ud800","b":[1e400,{"c":1e20}]}',
      { a: 'x\ufffd', b: [null, { c: null }] },
      [
        ['b', 0],
        ['b', 1, 'c'],
      ],
    ],
  ])(
    'takes out numbers that a double does not hold exactly, and says where they were: %s',
    (_, text, value, unsafe) => {
      expect(parseSafely(text)).toEqual({ ok: true, value, unsafe });
    },
  );

  it('takes fractions and large numbers with an exponent that fits', () => {
    expect(parseSafely('[0.1,1.5e300,-2.5e-300]')).toMatchObject({ ok: true, value: [0.1, null, -2.5e-300] });
  });

  it.each([
    ['an empty text', '', 'InvalidJSON'],
    ['a text that is cut off', '{"a":[1,2', 'InvalidJSON'],
    ['HTML', '<html></html>', 'InvalidJSON'],
    ['a key named twice', '{"a":1,"b":2,"a":3}', 'InvalidJSON'],
    ['a key named twice through an escape', '{"a":1,"\\u0061":3}', 'InvalidJSON'],
    ['__proto__', '{"__proto__":{"x":1}}', 'ForbiddenKey'],
    ['__proto__ in disguise', '{"a":[{"\\u005f_proto__":1}]}', 'ForbiddenKey'],
    ['constructor', '{"constructor":{"prototype":{}}}', 'ForbiddenKey'],
    ['prototype', '{"a":{"prototype":1}}', 'ForbiddenKey'],
    ['a key with a lone surrogate', '{"\\ud800":1}', 'ForbiddenKey'],
    ['33 levels', nested(33), 'TooDeep'],
    ['10,000 levels', nested(10_000), 'TooDeep'],
    ['200,000 levels of objects', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`, 'TooDeep'],
    ['10,001 list elements', `[${'1,'.repeat(10_000)}1]`, 'TooLarge'],
    [
      '10,001 keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`k${i}`, i]))),
      'TooLarge',
    ],
  ])('refuses %s', (_, text, fault) => {
    expect(parseSafely(text)).toMatchObject({ ok: false, class: fault });
  });

  it('never quotes the document', () => {
    for (const text of ['{"password":"hunter2",}', 'hunter2', '{"hunter2":1,"hunter2":2}']) {
      expect(JSON.stringify(parseSafely(text))).not.toContain('hunter2');
    }
  });

  it('gives the same value as JSON.parse for every document that it takes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const parsed = parseSafely(text);
        if (!parsed.ok) expect(['ForbiddenKey', 'InvalidJSON']).toContain(parsed.class);
        else if (parsed.unsafe.length === 0) expect(parsed.value).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('takes whatever a well-behaved server writes', () => {
    const value = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('node'), { maxLength: 5 }),
        fc.dictionary(fc.stringMatching(/^[a-z:"\\]{1,8}$/), tie('node'), { maxKeys: 5 }),
      ),
    })).node;
    fc.assert(
      fc.property(value, (written) => {
        const text = JSON.stringify(written);
        expect(parseSafely(text)).toEqual({ ok: true, value: JSON.parse(text), unsafe: [] });
      }),
      { numRuns: 500 },
    );
  });
});
