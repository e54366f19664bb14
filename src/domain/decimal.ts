import type { Json } from './json.ts';

/** A decimal number of any size, without loss: digits before and after the point, without zeros that mean nothing. */
export interface Decimal {
  negative: boolean;
  whole: string;
  fraction: string;
}

/** As JSON writes numbers; many servers send theirs as text, because a double cannot hold them. */
const written = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;
const maxLength = 256;
const maxExponent = 1_000;

/** Moves the point by so many places: to the right where that is more than none. */
const shifted = (whole: string, fraction: string, places: number): [whole: string, fraction: string] => {
  if (places >= 0) {
    const digits = fraction.padEnd(places, '0');
    return [whole + digits.slice(0, places), digits.slice(places)];
  }
  const digits = whole.padStart(1 - places, '0');
  return [digits.slice(0, places), digits.slice(places) + fraction];
};

/** The number that a value is, or that it is the text of; undefined when it is neither. */
export function decimalOf(value: Json): Decimal | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  const text = String(value);
  const found = text.length > maxLength ? null : written.exec(text);
  const exponent = Number(found?.[4] ?? 0);
  if (found === null || Math.abs(exponent) > maxExponent) return undefined;
  const [whole, fraction] = shifted(found[2] ?? '', found[3] ?? '', exponent);
  const trimmed = { whole: whole.replace(/^0+/, ''), fraction: fraction.replace(/0+$/, '') };
  return { ...trimmed, negative: found[1] === '-' && trimmed.whole + trimmed.fraction !== '' };
}

const orderOf = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

const magnitudes = (a: Decimal, b: Decimal): number =>
  a.whole.length - b.whole.length || orderOf(a.whole, b.whole) || orderOf(a.fraction, b.fraction);

/** Negative when the first is less, positive when it is more, 0 when they are the same number. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  return a.negative ? magnitudes(b, a) : magnitudes(a, b);
}

/**
 * For values that are compared with one another: puts small numbers in the place of numbers and of texts that are
 * numbers, equal where those are equal and in the same order. What is no number stays what it is.
 */
export function ranked(values: readonly Json[]): (value: Json) => Json {
  const decimals = values.map(decimalOf).filter((decimal) => decimal !== undefined);
  const order = decimals.toSorted(compareDecimals).filter((one, i, all) => {
    const before = all[i - 1];
    return before === undefined || compareDecimals(before, one) !== 0;
  });
  return (value) => {
    const decimal = decimalOf(value);
    return decimal === undefined ? value : rankIn(order, decimal);
  };
}

/** How many of a sorted list are less than a number. */
function rankIn(order: readonly Decimal[], decimal: Decimal): number {
  let [from, to] = [0, order.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = order[middle];
    if (other !== undefined && compareDecimals(other, decimal) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
