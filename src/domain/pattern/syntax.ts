import { readCharacters } from './character-classes.ts';
import { type Characters, rangesOf } from './characters.ts';
import { Cursor, PatternError } from './cursor.ts';

/** What can be asked of a place between two characters: bits, set where it is so. */
export const place = { start: 1, end: 2, wordEdge: 4 } as const;

/** A part of an expression. `most` is Infinity where there is no limit. An empty sequence matches the empty text. */
export type Tree =
  | { kind: 'characters'; set: Characters }
  | { kind: 'assertion'; at: number; holds: boolean }
  | { kind: 'sequence' | 'choice'; parts: Tree[] }
  | { kind: 'repeat'; of: Tree; least: number; most: number };

/** An expression, read, with the flag i or without. */
export interface Pattern {
  tree: Tree;
  ignoreCase: boolean;
}

/** Constructs of other dialects, or of matchers that go back and try again; each with what to write instead. */
const unsupported: [RegExp, string][] = [
  [/\\(?:[1-9]|k)|\(\?P[=>]/y, 'has a back-reference: compare with a fixed text instead'],
  [/\(\?<?[=!]/y, 'looks ahead or behind: write what is to match itself'],
  [/\(\?>/y, 'has an atomic group (?>…): write (?:…)'],
  [/\(\?P</y, 'names a group as Python does: write (…) without a name'],
  [/\(\?#/y, 'has a comment (?#…): remove it'],
  [/\(\?\(/y, 'has a conditional group (?(…)…): write the alternatives (…|…)'],
  [/\(\?[a-z]*-?[a-z]*m/y, 'sets the flag m: write (?:^|\\n) for the beginning of a line, (?:$|\\n) for its end'],
  [
    /\(\?(?:-|[A-Za-z])[A-Za-z-]*[):]/y,
    'sets a flag that is not known, or not for the whole: write (?i) at the beginning',
  ],
  [/\\A/y, 'has \\A: write ^'],
  [/\\[zZ]/y, 'has \\z: write $'],
  [/\\[QE]/y, 'quotes with \\Q…\\E: write a backslash before each special character'],
  [/\\h/y, 'has \\h: write [ \\t]'],
];

const leadingFlags = /\(\?([is]+)\)/y;
const groupStart = /\((?:\?(?::|<([A-Za-z_$][\w$]*)>))?/y;
const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;

function repeated(cursor: Cursor, of: Tree): Tree {
  const found = cursor.take(quantifier);
  if (found === undefined) return of;
  const [, sign, least = '0', comma, most = ''] = found;
  if (sign !== undefined)
    return { kind: 'repeat', of, least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
  if (comma === undefined) return { kind: 'repeat', of, least: Number(least), most: Number(least) };
  const limit = most === '' ? Number.POSITIVE_INFINITY : Number(most);
  if (Number(least) > limit) cursor.fail('follows a repetition {m,n} with m above n: swap them');
  return { kind: 'repeat', of, least: Number(least), most: limit };
}

function assertion(cursor: Cursor): Tree | undefined {
  if (cursor.takeWord('^')) return { kind: 'assertion', at: place.start, holds: true };
  if (cursor.takeWord('$')) return { kind: 'assertion', at: place.end, holds: true };
  if (cursor.takeWord('\\b')) return { kind: 'assertion', at: place.wordEdge, holds: true };
  return cursor.takeWord('\\B') ? { kind: 'assertion', at: place.wordEdge, holds: false } : undefined;
}

function group(cursor: Cursor): Tree | undefined {
  const opened = cursor.take(groupStart);
  if (opened === undefined) return undefined;
  const [, name] = opened;
  if (cursor.isAt('?')) cursor.fail('begins a group of an unknown kind: write (…) or (?:…)');
  if (name !== undefined && cursor.names.has(name)) cursor.fail(`follows a second group ${name}: leave its name out`);
  if (name !== undefined) cursor.names.add(name);
  const inside = choice(cursor);
  if (!cursor.takeWord(')')) cursor.fail('ought to be a ): a group is not closed');
  return inside;
}

function term(cursor: Cursor): Tree {
  for (const [construct, why] of unsupported) if (cursor.take(construct)) throw new PatternError(why);
  const repetition = '*+?{';
  const found = assertion(cursor);
  if (found !== undefined)
    return cursor.isAt(repetition) ? cursor.fail('repeats a place between characters: leave it out') : found;
  if (cursor.isAt(repetition)) cursor.fail('repeats nothing: write a backslash before it for the character');
  const once = group(cursor) ?? { kind: 'characters', set: readCharacters(cursor) };
  const whole = repeated(cursor, once);
  if (cursor.isAt('+') && whole !== once) throw new PatternError('has a possessive repetition such as a*+: write a*');
  return cursor.isAt(repetition) ? cursor.fail('repeats what is repeated already: write (?:…) around it') : whole;
}

const listOf = (kind: 'sequence' | 'choice', parts: Tree[]): Tree =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind, parts };

function sequence(cursor: Cursor): Tree {
  const parts: Tree[] = [];
  while (!cursor.isAtEnd && !cursor.isAt('|)')) parts.push(term(cursor));
  return listOf('sequence', parts);
}

function choice(cursor: Cursor): Tree {
  const parts = [sequence(cursor)];
  while (cursor.takeWord('|')) parts.push(sequence(cursor));
  const sets = parts.flatMap((part) => (part.kind === 'characters' && 'ranges' in part.set ? [part.set.ranges] : []));
  // Alternatives of one character each are a class.
  if (sets.length === parts.length) return { kind: 'characters', set: { ranges: rangesOf(sets.flat()) } };
  return listOf('choice', parts);
}

/**
 * Reads an expression: JavaScript's with the flag u, less what no automaton can match. Throws a `PatternError` for what
 * is refused.
 */
export function readPattern(text: string): Pattern {
  const cursor = new Cursor(text);
  const [, flags = ''] = cursor.take(leadingFlags) ?? [];
  cursor.ignoreCase = flags.includes('i');
  cursor.dotAll = flags.includes('s');
  const tree = choice(cursor);
  if (!cursor.isAtEnd) cursor.fail('closes a group that was not opened: write a backslash before it for the character');
  return { tree, ignoreCase: cursor.ignoreCase };
}
