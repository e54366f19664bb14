import { type Ignored, ignoredOf } from './ignored.ts';
import { isJsonObject, type Json, type JsonObject, own } from './json.ts';
import { elementBelow, fieldBelow } from './path.ts';
import { shared } from './share.ts';
import { bytesOf } from './text.ts';
import { isForTheWorse } from './trouble.ts';

/** One field that differs between two states. `before`/`after` are absent where the field was. */
export interface Change {
  /** Dotted path, list elements as `[i]`. */
  path: string;
  before?: Json;
  after?: Json;
  /** The new value means trouble. */
  trouble?: true;
}

/** Two states of one subject. */
export interface StatePair {
  subject: string;
  before: Json;
  after: Json;
}

/** How one subject's states differ: the changes that are named, and how many more there are. */
export interface Difference {
  changes: Change[];
  more?: number;
}

/** How the states of each subject differ. */
export type Changes = Record<string, Difference>;

/** At most this many changes of a subject are named. */
export const maxChanges = 50;
/** Bytes, as JSON, of all that is named of one TargetApp: it travels through the history. */
const maxNamedBytes = 128 * 1024;
/** Values and paths longer than this (as JSON) are described instead of carried. */
const maxValueLength = 256;

/** Objects with more keys than this have them counted once: a rule's value is compared with every element of a list. */
const fewKeys = 16;
const counted = new WeakMap<object, number>();

function keyCountOf(object: JsonObject): number {
  const known = counted.get(object);
  if (known !== undefined) return known;
  const count = Object.keys(object).length;
  if (count > fewKeys) counted.set(object, count);
  return count;
}

/** Deep equality of JSON values: numbers as numbers, objects regardless of key order. Its time grows with the smaller of the two. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  return (
    keyCountOf(a) === keyCountOf(b) && Object.keys(a).every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
  );
}

/** The value itself when it is short, else what it is: `[312 items]`, `{14 fields}`, or the first characters. */
export function brief(value: Json | undefined, maxLength = maxValueLength): Json | undefined {
  if (value === undefined || (typeof value !== 'object' && typeof value !== 'string')) return value;
  if (typeof value === 'string') return value.length > maxLength ? `${value.slice(0, maxLength)}…` : value;
  if (JSON.stringify(value).length <= maxLength) return value;
  return Array.isArray(value) ? `[${value.length} items]` : `{${Object.keys(value ?? {}).length} fields}`;
}

/** Path without list indexes, for comparison with `ignoreFields`. */
const withoutIndexes = (path: string): string => path.replace(/\[(\d+|\*)\]/g, '');

function collect(
  before: Json | undefined,
  after: Json | undefined,
  path: string,
  found: Change[],
  ignored: Ignored | undefined,
): void {
  if (ignored?.isWhole || equal(before, after)) return;
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      collect(own(before, key), own(after, key), fieldBelow(path, key), found, ignored?.below.get(key));
    return;
  }
  // Lists of one length are compared element by element; any other difference is one change of the whole list,
  // because an insertion at the front would otherwise "change" every element.
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    before.forEach((item, i) => {
      collect(item, after[i], elementBelow(path, i), found, ignored);
    });
    return;
  }
  const change: Change = { path: brief(path) as string };
  if (before !== undefined) change.before = brief(before) as Json;
  if (after !== undefined) change.after = brief(after) as Json;
  if (isForTheWorse(before, after)) change.trouble = true;
  found.push(change);
}

/** The fields that differ between two states of one subject, less those that are to be ignored. */
export function changesBetween(before: Json, after: Json, ignoreFields: readonly string[] = []): Change[] {
  const found: Change[] = [];
  collect(before, after, '', found, ignoredOf(ignoreFields));
  return found;
}

const sizeOf = (change: Change): number => bytesOf(JSON.stringify(change));

/** As many of the changes as there is room for, in bytes. */
function named(changes: Change[], room: number): Difference {
  let left = room;
  const kept = changes.slice(0, maxChanges).filter((change) => {
    left -= sizeOf(change);
    return left >= 0;
  });
  return { changes: kept, ...(kept.length < changes.length && { more: changes.length - kept.length }) };
}

/**
 * The fields that differ, by subject. Those whose new value means trouble come first, so that what is not named for lack
 * of room, subjects sharing it evenly, is never the worst.
 */
export function changesOf(pairs: StatePair[], ignoreFields: readonly string[]): Changes {
  const found = pairs.map(({ before, after }) =>
    changesBetween(before, after, ignoreFields).toSorted((a, b) => Number(b.trouble ?? 0) - Number(a.trouble ?? 0)),
  );
  const wanted = found.map((changes) => changes.slice(0, maxChanges).reduce((sum, each) => sum + sizeOf(each), 0));
  const rooms = shared(wanted, maxNamedBytes);
  return Object.fromEntries(pairs.map(({ subject }, i) => [subject, named(found[i] ?? [], rooms[i] ?? 0)]));
}

/** A value without what is ignored in it; what has nothing ignored in it is not copied. */
function pruned(value: Json, ignored: Ignored): Json {
  if (Array.isArray(value)) return value.map((item) => pruned(item, ignored));
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const below = ignored.below.get(key);
    if (!below?.isWhole) kept[key] = below === undefined ? item : pruned(item, below);
  }
  return kept;
}

/**
 * A state without the fields that do not count as changes: what its hash is taken over. Fields that a rule reads stay,
 * or the rule would decide on an old value.
 */
export function comparable(state: Json, ignoreFields: readonly string[], fieldsOfRules: readonly string[]): Json {
  const read = fieldsOfRules.map(withoutIndexes);
  const ignore = ignoreFields
    .map(withoutIndexes)
    .filter((field) => !read.some((path) => path === field || path.startsWith(`${field}.`)));
  return ignore.length === 0 ? state : pruned(state, ignoredOf(ignore));
}

/** The scalar fields of a state as `path → value`, at most `max`, without ignored ones: what status shows. */
export function scalarsOf(state: Json, ignoreFields: readonly string[], max: number): Record<string, Json> {
  const found: Record<string, Json> = {};
  const walk = (value: Json, path: string, ignored: Ignored | undefined): void => {
    if (Object.keys(found).length >= max || ignored?.isWhole) return;
    if (isJsonObject(value))
      for (const [key, item] of Object.entries(value)) walk(item, fieldBelow(path, key), ignored?.below.get(key));
    else if (Array.isArray(value)) found[path] = `[${value.length} items]`;
    else found[path] = typeof value === 'string' && value.length > 128 ? `${value.slice(0, 128)}…` : value;
  };
  walk(state, '', ignoredOf(ignoreFields));
  return found;
}
