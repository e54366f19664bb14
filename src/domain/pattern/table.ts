import type { Links } from './graph.ts';
import { addPosition, hasPosition, newWords, union, type Words } from './words.ts';

/** What can be matched next at places of one kind, looked up for four positions at a time. */
export interface Table {
  /** The positions where a match can begin. */
  first: Words;
  /** The positions with which a match can have ended. */
  last: Words;
  /** Whether the empty text matches. */
  isEmpty: boolean;
  /** For each four positions: where their rows begin, the first word that these can set, and how many words. */
  layout: number[];
  /** What follows each of the 16 sets of four positions. */
  rows: Words;
  /** The most steps that one `advance` takes. */
  maxSteps: number;
}

/** What follows each set of four positions, from the first word that any of them sets to the last. */
function rowsOf(follow: readonly Words[]): { word: number; width: number; rows: Words } {
  const all = follow.reduce(union);
  const end = all.findLastIndex((bits) => bits !== 0) + 1;
  const word = end === 0 ? 0 : all.findIndex((bits) => bits !== 0);
  const width = end - word;
  const rows = newWords(16 * width);
  // A set is the same set without its highest position, and that position.
  for (let set = 1; set < 16; set++) {
    const highest = 31 - Math.clz32(set);
    const rest = (set ^ (1 << highest)) * width;
    for (let i = 0; i < width; i++) rows[set * width + i] = (rows[rest + i] ?? 0) | (follow[highest]?.[word + i] ?? 0);
  }
  return { word, width, rows };
}

/** The words of positions alone, without the end of a match. */
const withoutEnd = (next: Words, end: number, words: number): Words =>
  next.slice(0, words).map((bits, word) => (word === end >> 5 ? bits & ((1 << (end & 31)) - 1) : bits));

/**
 * The table of what `links` say.
 *
 * @param isInside whether there are characters on both sides of the place, so that a match can go on there
 */
export function tableOf({ first, follow }: Links, words: number, isInside: boolean): Table {
  const end = follow.length;
  const last = newWords(words);
  const onward = follow.map((next, position) => {
    if (hasPosition(next, end)) addPosition(last, position);
    return withoutEnd(next, end, words);
  });
  const layout: number[] = [];
  const rows: Words = [];
  let maxSteps = words;
  for (let from = 0; isInside && from < end; from += 4) {
    const four = rowsOf(onward.slice(from, from + 4));
    layout.push(rows.length, four.word, four.width);
    rows.push(...four.rows);
    maxSteps += four.width;
  }
  return { first: withoutEnd(first, end, words), last, isEmpty: hasPosition(first, end), layout, rows, maxSteps };
}

/** Puts what can come after the positions of `live` into `next`; returns the number of steps: words that were set. */
export function advance({ first, layout, rows }: Table, live: Words, next: Words): number {
  let steps = first.length;
  for (let word = 0; word < steps; word++) next[word] = first[word] ?? 0;
  for (let at = 0, group = 0; at < layout.length; at += 3, group++) {
    const four = ((live[group >> 3] ?? 0) >>> ((group & 7) << 2)) & 15;
    if (four === 0) continue;
    const width = layout[at + 2] ?? 0;
    let row = (layout[at] ?? 0) + four * width;
    let word = layout[at + 1] ?? 0;
    for (const end = word + width; word < end; word++, row++) next[word] = (next[word] ?? 0) | (rows[row] ?? 0);
    steps += width;
  }
  return steps;
}

/** Whether a match can have ended at a place, with the positions of `live` before it. */
export function hasEnded({ isEmpty, last }: Table, live: Words): boolean {
  if (isEmpty) return true;
  for (let word = 0; word < live.length; word++) if (((live[word] ?? 0) & (last[word] ?? 0)) !== 0) return true;
  return false;
}
