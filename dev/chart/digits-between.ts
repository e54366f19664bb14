const digits = (count: number): string => (count === 0 ? '' : count === 1 ? '[0-9]' : `[0-9]{${count}}`);

/** How many last digits of a number may be anything, so that all these numbers begin with it and none is above `max`. */
const freeDigits = (from: number, max: number): number => {
  let count = 0;
  while (from % 10 ** (count + 1) === 0 && from + 10 ** (count + 1) - 1 <= max) count++;
  return count;
};

function* piecesOf(min: number, max: number): Generator<string> {
  if (min === 0) yield '0';
  for (let from = Math.max(min, 1); from <= max; ) {
    const free = freeDigits(from, max);
    const block = 10 ** free;
    const first = Math.floor(from / block) % 10;
    const last = Math.min(9, first + Math.floor((max - from + 1) / block) - 1);
    const before = Math.floor(from / block / 10) || '';
    yield `${before}${first === last ? first : `[${first}-${last}]`}${digits(free)}`;
    from += (last - first + 1) * block;
  }
}

/** A pattern, anchored, for the whole numbers from `min` to `max` as text: decimal, without leading zeros. */
export const digitsBetween = (min: number, max: number): string => `^(${[...piecesOf(min, max)].join('|')})$`;
