/**
 * Positions of an expression as bits, 32 in a word. The code that works on them names no global: where workflows run, each
 * mention of one costs more than what is done with it.
 */
export type Words = number[];

/** No positions. */
export function newWords(words: number): Words {
  const made: Words = [];
  for (let word = 0; word < words; word++) made.push(0);
  return made;
}

export const addPosition = (to: Words, position: number): void => {
  to[position >> 5] = (to[position >> 5] ?? 0) | (1 << (position & 31));
};

export const hasPosition = (words: Words, position: number): boolean =>
  (((words[position >> 5] ?? 0) >> (position & 31)) & 1) === 1;

export const union = (a: Words, b: Words): Words => a.map((bits, word) => bits | (b[word] ?? 0));

export const isNowhere = (words: Words): boolean => words.every((bits) => bits === 0);
