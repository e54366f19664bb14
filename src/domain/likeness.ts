import type { Json } from './json.ts';

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
const time = /\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?/g;
/** Hexadecimal digits that are no word, and letters among digits that are no name: hashes, addresses, ids. */
const hash = /\b(?:(?=[a-f]*\d)[0-9a-f]{7,}|(?=(?:[a-z]*\d){3})[0-9a-z]{16,})\b/gi;
/**
 * A number and what is written together with it: `12.5ms`, `10.0.0.7:8080`, `1.4.2+b17`, `1h3m`. A digit within a name is
 * none: `web-1` and `node7` are names, and two of them are two things.
 */
// biome-ignore lint/complexity/useRegexLiterals: in a literal the bundler writes out what `\p{…}` stands for, 60 KiB for every workflow
const number = new RegExp(String.raw`(?<![\p{L}\p{N}_]|[\p{L}\p{N}_]-)[-+]?\p{N}[\p{L}\p{N}.,:+_-]*`, 'gu');

/** A text without the times, hashes and ids in it. */
export const withoutStamps = (text: string): string => text.replace(uuid, '#').replace(time, '#').replace(hash, '#');

/** What is left of a text when all that only counts, measures or dates is taken out: alike for two that say the same. */
export const likeness = (text: string): string => withoutStamps(text).replace(number, '#');

// biome-ignore lint/complexity/useRegexLiterals: see above
const word = new RegExp(String.raw`^[\p{L}\p{M}_ -]{0,32}$`, 'u');

/** Whether a value is one of few: a state and no measure, time or sentence. */
export const isWord = (value: Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  typeof value === 'boolean' ||
  (typeof value === 'string' && word.test(value));
