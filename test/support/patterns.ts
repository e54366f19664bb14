import fc from 'fast-check';

const words = (text: string): string[] => text.split(' ');
const oneOf = (...parts: string[]): fc.Arbitrary<string> => fc.constantFrom(...parts);

/** Letters with cousins beyond ASCII, letters whose cases are special, ends of lines, and characters of two halves. */
const letters = [...'abkszAKSZ019 _,=\n', ...'\u017f\u212aéÉßẞσςΣ\u2028\u00a0😀'];
const halves = ['\ud83d', '\ude00'];
const escapes = words('\\n \\t \\. \\/ \\x41 \\u0061 \\u{1F600} \\uD83D\\uDE00 \\uD83D \\cJ \\0');
const classes = words('\\d \\D \\w \\W \\s \\S \\p{L} \\P{Lu} \\p{Script=Greek}');
const ranges = words('a-z A-Z 0-9 a-k \\0-/ é-ű Z-a !-~ \u0100-\u2fff \ud83d-\ue000');

const bracketed = fc
  .tuple(
    oneOf('[', '[^'),
    fc.array(oneOf(...letters, ...halves, ...escapes, ...ranges, ...classes, ...words('\\b \\- . $ [ |')), {
      maxLength: 4,
    }),
    oneOf(']', ']', '-]'),
  )
  .map(([open, members, close]) => `${open}${members.join('')}${close}`);
const atom = fc.oneof(
  { weight: 6, arbitrary: oneOf(...letters) },
  { weight: 4, arbitrary: oneOf('.', '-', ...escapes, ...classes) },
  { weight: 2, arbitrary: bracketed },
);
const times = oneOf('', '', '', ...words('* + ? *? +? ?? {2} {0} {0,2} {1,3} {2,} {1,3}? {0,} {0,0}'));

/** Regular expressions of all that is accepted, nested and repeated; now and then one that is not. */
export const pattern: fc.Arbitrary<string> = fc
  .tuple(
    oneOf('', '', '', '(?i)', '(?is)'),
    fc.letrec<{ choice: string; sequence: string; term: string }>((tie) => ({
      choice: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
      sequence: fc.array(tie('term'), { maxLength: 4 }).map((parts) => parts.join('')),
      term: fc.oneof(
        { depthIdentifier: 'group', maxDepth: 2 },
        { weight: 8, arbitrary: fc.tuple(atom, times).map((parts) => parts.join('')) },
        { weight: 1, arbitrary: oneOf('^', '$', '\\b', '\\B') },
        {
          weight: 3,
          arbitrary: fc.tuple(oneOf('(', '(?:'), tie('choice'), times).map(([open, of, n]) => `${open}${of})${n}`),
        },
      ),
    })).choice,
  )
  .map((parts) => parts.join(''));

const count = fc.integer({ min: 2, max: 99 });
const manyTimes = fc.oneof(
  oneOf('*', '+', '?'),
  count.map((n) => `{0,${n}}`),
  count.map((n) => `{${n}}`),
);

/** Expressions that take a matcher which goes back and tries again for ever, and that keep any other busy. */
export const hardPattern: fc.Arbitrary<string> = fc
  .tuple(
    oneOf('', '^', '(?i)', '.*', '(?:a|b)*a'),
    fc.array(
      fc.tuple(oneOf(...words('a . \\w [ab] (a|ab) (a?) (?:a?b?c?d?) (a*) (?:.?\\b) \\p{L} [^\\p{L}a]')), manyTimes),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    oneOf('', '{0,7}', '*', '{2}'),
    oneOf('!', '$', '\\b!', ''),
  )
  .map(([begin, parts, n, end]) => `${begin}(?:${parts.flat().join('')})${n}${end}`);

/** Texts of those characters that the expressions are about, of `length` UTF-16 units at most. */
export const textUpTo = (length: number): fc.Arbitrary<string> =>
  fc
    .array(oneOf(...letters, ...halves, 'a', 'a', 'b', 'A', '\n'), { maxLength: length })
    .map((chars) => chars.join('').slice(0, length));

/** Texts of that length: a few characters over and over, in turn or in no order. */
export const textOf = (length: number): fc.Arbitrary<string> =>
  fc.tuple(fc.array(oneOf(...'aaabbcd! é'), { minLength: 1, maxLength: 8 }), fc.nat()).map(([chars, seed]) => {
    let random = seed;
    const next = (i: number): string => {
      // Numerical Recipes' generator; 0 keeps the order.
      random = (Math.imul(random, 1664525) + (seed === 0 ? 0 : 1013904223)) >>> 0;
      return chars[(seed === 0 ? i : random >>> 16) % chars.length] ?? '';
    };
    return Array.from({ length }, (_, i) => next(i)).join('');
  });

/** The same expression for JavaScript, where flags of a whole expression stand beside it. */
function nativeOf(text: string, more: string): RegExp {
  const [opening = '', flags = ''] = /^\(\?([is]+)\)/.exec(text) ?? [];
  return new RegExp(text.slice(opening.length), `${flags}u${more}`);
}

/** Whether a match begins at one of the characters of a text, or at its end. */
function matchesAtSomePlace(native: RegExp, text: string): boolean {
  let start = 0;
  return [...text, ''].some((char) => {
    native.lastIndex = start;
    start += char.length;
    return native.test(text);
  });
}

/** What JavaScript says. Left to itself V8 looks for \B between the halves of a surrogate pair too, which is no place. */
export const nativelyMatches = (text: string, pattern: string): boolean =>
  pattern.includes('\\B') && /[\u{10000}-\u{10ffff}]/u.test(text)
    ? matchesAtSomePlace(nativeOf(pattern, 'y'), text)
    : nativeOf(pattern, '').test(text);
