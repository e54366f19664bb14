import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareDecimals, decimalOf, ranked } from '../../src/domain/decimal.ts';
import type { Json } from '../../src/domain/json.ts';

const sign = (order: number) => Math.sign(order);
const compare = (a: Json, b: Json): number => {
  const [x, y] = [decimalOf(a), decimalOf(b)];
  return x === undefined || y === undefined ? Number.NaN : sign(compareDecimals(x, y));
};

describe('a decimal number', () => {
  it.each<[Json, Json, number]>([
    ['1', '2', -1],
    ['10', '9', 1],
    ['-10', '-9', -1],
    ['-1', '1', -1],
    ['0', '-0', 0],
    ['0.0', 0, 0],
    ['0.1', 0.1, 0],
    ['0.10', '0.1', 0],
    ['0.09', '0.1', -1],
    ['1e3', 1000, 0],
    ['1.5E-3', '0.0015', 0],
    ['120e-1', '12', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['18446744073709551615', '18446744073709551616', -1],
    ['123456789012345678901234567890.1', '123456789012345678901234567890.2', -1],
    ['1e400', '1e399', 1],
  ])('%j compared with %j is %j', (a, b, order) => {
    expect(compare(a, b)).toBe(order);
    expect(compare(b, a)).toBe(sign(-order) + 0);
  });

  it.each<[Json]>([
    [''],
    [' 1'],
    ['1 '],
    ['+1'],
    ['01'],
    ['1.'],
    ['.5'],
    ['1,000'],
    ['0x10'],
    ['1e'],
    ['1e99999'],
    ['1e1001'],
    ['NaN'],
    ['Infinity'],
    ['1'.repeat(257)],
    [true],
    [null],
    [['1']],
    [{}],
  ])('is not %j', (value) => {
    expect(decimalOf(value)).toBeUndefined();
  });

  it('compares as the same double does, and as the same integer however large', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(double, double, (a, b) => expect(compare(a, String(b))).toBe(sign(a - b) + 0)),
      { numRuns: 1000 },
    );
    const large = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n });
    fc.assert(
      fc.property(large, large, (a, b) => expect(compare(String(a), String(b))).toBe(a < b ? -1 : a > b ? 1 : 0)),
      { numRuns: 1000 },
    );
  });
});

describe('ranks', () => {
  it('are equal and in the order of the numbers, and leave what is none', () => {
    const rank = ranked(['10', 9, '9.0', 'x', null]);
    expect(['10', 9, '9.0', 'x', null, true].map(rank)).toEqual([1, 0, 0, 'x', null, true]);
  });

  it('of many take little time', () => {
    const many = Array.from({ length: 16_000 }, (_, i) => String(i * 7919));
    const began = performance.now();
    const rank = ranked(many);
    expect(rank(many[15_999] ?? null)).toBe(15_999);
    expect(many.map(rank)).toHaveLength(16_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
