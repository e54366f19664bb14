import { type Characters, classNamed, dot, inAnyCase, inverted, type Ranges, rangesOf } from './characters.ts';
import { type Cursor, PatternError } from './cursor.ts';

const classEscape = /\\([dDsSwW])/y;
const property = /\\[pP]\{[^}]*\}/y;
const posixClass = /\[:\^?\w+:\]/y;
const surrogates = /\\u([dD][89abAB][\dA-Fa-f]{2})\\u([dD][c-fC-F][\dA-Fa-f]{2})/y;
const hexadecimal = /\\(?:u\{([\dA-Fa-f]+)\}|u([\dA-Fa-f]{4})|x([\dA-Fa-f]{2}))/y;
const control = /\\c([A-Za-z])/y;
const named = /\\(?:([fnrtv])|0(?!\d))/y;
const itself = /\\([$()*+./?[\\\]^{|}])/y;

const codes: Record<string, number> = { f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09, v: 0x0b };
const lastAscii = 0x7f;

/** The engine's own expression for one character. */
const native = (source: string, ignoreCase: boolean): Characters => ({
  native: new RegExp(`^${source}$`, ignoreCase ? 'iu' : 'u'),
});

/** The character that an escape stands for. */
function escaped(cursor: Cursor): number {
  const [, high, low] = cursor.take(surrogates) ?? [];
  if (high !== undefined && low !== undefined)
    return 0x10000 + ((Number.parseInt(high, 16) & 0x3ff) << 10) + (Number.parseInt(low, 16) & 0x3ff);
  const [, braced, four, two] = cursor.take(hexadecimal) ?? [];
  const hex = Number.parseInt(braced ?? four ?? two ?? '', 16);
  if (hex <= 0x10ffff) return hex;
  const [, letter] = cursor.take(control) ?? [];
  if (letter !== undefined) return letter.charCodeAt(0) % 32;
  const name = cursor.take(named);
  if (name !== undefined) return codes[name[1] ?? ''] ?? 0;
  const [, sign] = cursor.take(itself) ?? [];
  return sign?.charCodeAt(0) ?? cursor.fail('begins an escape that means nothing: leave the backslash out');
}

/** One character, written as itself or by an escape. */
function character(cursor: Cursor): number {
  if (cursor.isAt('\\')) return escaped(cursor);
  const code = cursor.text.codePointAt(cursor.at) ?? cursor.fail('is missing');
  cursor.at += code > 0xffff ? 2 : 1;
  return code;
}

/** A property such as `\p{L}`, as it is written. */
function propertySource(cursor: Cursor): string | undefined {
  const [source] = cursor.take(property) ?? [];
  try {
    if (source !== undefined) new RegExp(source, 'u');
  } catch {
    throw new PatternError(`has ${source}, which is no property of characters: write e.g. \\p{L} or \\p{Lu}`);
  }
  return source;
}

/** What stands in a class at one place: one character, or many; undefined where only the engine knows which. */
type Member = { code: number } | { ranges: Ranges } | undefined;

function member(cursor: Cursor): Member {
  const [, letter] = cursor.take(classEscape) ?? [];
  if (letter !== undefined) return { ranges: classNamed(letter, cursor.ignoreCase) };
  if (propertySource(cursor) !== undefined) return undefined;
  if (cursor.takeWord('\\b')) return { code: 0x08 };
  return { code: cursor.takeWord('\\-') ? 0x2d : character(cursor) };
}

/** A member, or a range from one member to another. */
function members(cursor: Cursor): Ranges | undefined {
  const from = member(cursor);
  const isRange = cursor.isAt('-') && cursor.text[cursor.at + 1] !== ']';
  if (isRange) cursor.at += 1;
  const to = isRange ? member(cursor) : from;
  if (!isRange && (from === undefined || 'ranges' in from)) return from?.ranges;
  if (from === undefined || to === undefined || 'ranges' in from || 'ranges' in to)
    return cursor.fail('ends a range that has a class at one end: write \\- for the character -');
  if (from.code > to.code) cursor.fail('ends a range that runs backwards: swap its ends');
  const range: Ranges = [[from.code, to.code]];
  if (!cursor.ignoreCase) return range;
  return to.code > lastAscii ? undefined : inAnyCase(range);
}

function bracketed(cursor: Cursor, from: number): Characters {
  const isInverted = cursor.takeWord('^');
  const found: (Ranges | undefined)[] = [];
  while (!cursor.takeWord(']')) {
    if (cursor.isAtEnd) cursor.fail('ought to be a ]: a class is not closed');
    if (cursor.take(posixClass)) throw new PatternError('has a POSIX class such as [:alpha:]: write a-z, or \\p{L}');
    found.push(members(cursor));
  }
  if (found.includes(undefined)) return native(cursor.text.slice(from, cursor.at), cursor.ignoreCase);
  const ranges = rangesOf(found.flatMap((each) => each ?? []));
  return { ranges: isInverted ? inverted(ranges) : ranges };
}

/** Reads what matches one character: itself, an escape, `.`, or a class. */
export function readCharacters(cursor: Cursor): Characters {
  const { at: from, ignoreCase, dotAll } = cursor;
  if (cursor.takeWord('.')) return { ranges: dotAll ? dot.all : dot.line };
  if (cursor.takeWord('[')) return bracketed(cursor, from);
  const [, letter] = cursor.take(classEscape) ?? [];
  if (letter !== undefined) return { ranges: classNamed(letter, cursor.ignoreCase) };
  const source = propertySource(cursor);
  if (source !== undefined) return native(source, ignoreCase);
  if (cursor.isAt(']{}')) cursor.fail('stands alone: write a backslash before it for the character');
  const code = character(cursor);
  if (!ignoreCase) return { ranges: [[code, code]] };
  return code > lastAscii ? native(`\\u{${code.toString(16)}}`, true) : { ranges: inAnyCase([[code, code]]) };
}
