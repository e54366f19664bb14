import type { Characters } from './characters.ts';
import { addPosition, newWords, type Words } from './words.ts';

/** Which characters match at which positions. */
export interface Alphabet {
  /** A number that a character shares with those that match at the same positions. */
  classOf(code: number): number;
  /** Strikes out those positions at which the characters of a class do not match. */
  restrict(positions: Words, characterClass: number): void;
  /** How many sets the engine is asked about for each character. */
  natives: number;
}

/** Characters of which the answers of the engine are remembered. */
const maxRemembered = 512;
/** Bits of a class that say between which edges of ranges it lies; the bits above are the answers of the engine. */
const stretchBits = 12;

const keyOf = (set: Characters): string => ('native' in set ? String(set.native) : set.ranges.join(';'));

/** Equal sets once, each with the positions that it stands at. */
function distinct(sets: readonly Characters[], words: number): { set: Characters; at: Words }[] {
  const found = new Map<string, { set: Characters; at: Words }>();
  sets.forEach((set, position) => {
    const key = keyOf(set);
    const known = found.get(key) ?? { set, at: newWords(words) };
    addPosition(known.at, position);
    found.set(key, known);
  });
  return [...found.values()];
}

/** Where the last of ascending numbers stands that is not above the code; the first is 0. */
function lastUpTo(starts: readonly number[], code: number): number {
  let low = 0;
  for (let high = starts.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= code) low = middle;
    else high = middle;
  }
  return low;
}

/** What only the engine can tell of a character: a bit for each expression that it matches. */
function createAnswers(natives: readonly { native: RegExp }[]): (code: number) => number {
  const remembered = new Map<number, number>();
  return (code) => {
    const known = remembered.get(code);
    if (known !== undefined) return known;
    const char = String.fromCodePoint(code);
    const answers = natives.reduce((bits, { native }, i) => (native.test(char) ? bits | (1 << i) : bits), 0);
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(code, answers);
    return answers;
  };
}

/** The alphabet of an expression that has `sets[i]` at position i: a look-up, however many sets there are. */
export function createAlphabet(sets: readonly Characters[], words: number): Alphabet {
  const members = distinct(sets, words);
  const ranged = members.flatMap(({ set, at }) => ('ranges' in set ? [{ ranges: set.ranges, at }] : []));
  const natives = members.flatMap(({ set, at }) => ('native' in set ? [{ native: set.native, at }] : []));
  const edges = ranged.flatMap(({ ranges }) => ranges.flatMap(([first, last]) => [first, last + 1]));
  // Between two neighbours of these no set begins or ends: that is a class.
  const starts = [...new Set([0, ...edges])].sort((a, b) => a - b);
  const masks = newWords(starts.length * words);
  for (const { ranges, at } of ranged)
    for (const [first, last] of ranges)
      for (let i = lastUpTo(starts, first); i < starts.length && (starts[i] ?? 0) <= last; i++)
        at.forEach((bits, word) => {
          masks[i * words + word] = (masks[i * words + word] ?? 0) | bits;
        });
  const ascii = Uint16Array.from({ length: 128 }, (_, code) => lastUpTo(starts, code));
  const stretchOf = (code: number): number => ascii[code] ?? lastUpTo(starts, code);
  const answersOf = createAnswers(natives);
  return {
    natives: natives.length,
    classOf: natives.length === 0 ? stretchOf : (code) => stretchOf(code) | (answersOf(code) << stretchBits),
    restrict(positions, characterClass) {
      const from = (characterClass & ((1 << stretchBits) - 1)) * words;
      for (let word = 0; word < words; word++) {
        let mask = masks[from + word] ?? 0;
        for (let i = 0; i < natives.length; i++)
          if ((characterClass >> (stretchBits + i)) & 1) mask |= natives[i]?.at[word] ?? 0;
        positions[word] = (positions[word] ?? 0) & mask;
      }
    },
  };
}
