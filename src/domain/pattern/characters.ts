/** Code points as `[first, last]`, in order and with a gap between any two. */
export type Ranges = readonly (readonly [first: number, last: number])[];

/**
 * A set of characters (code points). `native`: an expression for one character, for what only the engine's own tables
 * know: properties such as `\p{L}`, and the cases of letters beyond ASCII.
 */
export type Characters = { ranges: Ranges } | { native: RegExp };

const lastCode = 0x10ffff;

/** The ranges of any pairs: sorted, overlaps and neighbours joined. */
export function rangesOf(pairs: Ranges): Ranges {
  const joined: [number, number][] = [];
  for (const [first, last] of [...pairs].sort(([a], [b]) => a - b)) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** All characters that are not in the ranges. */
export function inverted(ranges: Ranges): Ranges {
  const firsts = [0, ...ranges.map(([, last]) => last + 1)];
  const lasts = [...ranges.map(([first]) => first - 1), lastCode];
  return firsts.flatMap((first, i): Ranges => (first <= (lasts[i] ?? -1) ? [[first, lasts[i] ?? -1]] : []));
}

const digit: Ranges = [[0x30, 0x39]];
const word: Ranges = [...digit, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
const space: Ranges = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** What `.` is: any character, or any but the ends of lines. */
export const dot = {
  all: inverted([]),
  line: inverted([
    [0x0a, 0x0a],
    [0x0d, 0x0d],
    [0x2028, 0x2029],
  ]),
};

/** The characters beyond ASCII that are an ASCII letter in another case: the long s and the sign for kelvin. */
const cousins: readonly (readonly [letter: number, cousin: number])[] = [
  [0x73, 0x17f],
  [0x6b, 0x212a],
];

const overlapOf = (ranges: Ranges, from: number, to: number): [number, number][] =>
  ranges.flatMap(([first, last]): [number, number][] =>
    first <= to && last >= from ? [[Math.max(first, from), Math.min(last, to)]] : [],
  );

/** Ranges of ASCII characters, and what is one of them in another case. */
export function inAnyCase(ranges: Ranges): Ranges {
  const small = overlapOf(ranges, 0x41, 0x5a).map(([first, last]): [number, number] => [first + 32, last + 32]);
  const large = overlapOf(ranges, 0x61, 0x7a).map(([first, last]): [number, number] => [first - 32, last - 32]);
  const letters = rangesOf([...ranges, ...small, ...large]);
  const others = cousins.flatMap(
    ([letter, cousin]): Ranges => (overlapOf(letters, letter, letter).length > 0 ? [[cousin, cousin]] : []),
  );
  return rangesOf([...letters, ...others]);
}

const wordInAnyCase = inAnyCase(word);

/** The ranges of `\d`, `\D`, `\s`, `\S`, `\w` and `\W`, by letter. */
export function classNamed(letter: string, ignoreCase: boolean): Ranges {
  const named = { d: digit, s: space, w: ignoreCase ? wordInAnyCase : word }[letter.toLowerCase()] ?? [];
  return letter === letter.toLowerCase() ? named : inverted(named);
}

/** Whether `\b` takes a character for part of a word; undefined is none, at the ends of a text. */
export function isWordCharacter(code: number | undefined, ignoreCase: boolean): boolean {
  if (code === undefined) return false;
  for (const [first, last] of ignoreCase ? wordInAnyCase : word) if (code >= first && code <= last) return true;
  return false;
}
