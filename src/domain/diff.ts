import { isJsonObject, type Json, own } from './json.ts';
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

/** Deep equality of JSON values: numbers as numbers, objects regardless of key order. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}

/** The value itself when it is short, else what it is: `[312 items]`, `{14 fields}`, or the first characters. */
export function brief(value: Json | undefined, maxLength = maxValueLength): Json | undefined {
  if (value === undefined || (typeof value !== 'object' && typeof value !== 'string')) return value;
  if (typeof value === 'string') return value.length > maxLength ? `${value.slice(0, maxLength)}…` : value;
  if (JSON.stringify(value).length <= maxLength) return value;
  return Array.isArray(value) ? `[${value.length} items]` : `{${Object.keys(value ?? {}).length} fields}`;
}

const child = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** Path without list indexes, for comparison with `ignoreFields`. */
const withoutIndexes = (path: string): string => path.replace(/\[(\d+|\*)\]/g, '');

/** Whether a path is, or lies below, one of the ignored fields; indexes do not matter (`peers[*].latency` = `peers.latency`). */
export function isIgnored(path: string, ignoreFields: readonly string[]): boolean {
  const plain = withoutIndexes(path);
  return ignoreFields.some((field) => {
    const ignored = withoutIndexes(field);
    return plain === ignored || plain.startsWith(`${ignored}.`);
  });
}

function collect(
  before: Json | undefined,
  after: Json | undefined,
  path: string,
  found: Change[],
  ignore: readonly string[],
): void {
  if (isIgnored(path, ignore) || equal(before, after)) return;
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      collect(own(before, key), own(after, key), child(path, key), found, ignore);
    return;
  }
  // Lists of one length are compared element by element; any other difference is one change of the whole list,
  // because an insertion at the front would otherwise "change" every element.
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    before.forEach((item, i) => {
      collect(item, after[i], `${path}[${i}]`, found, ignore);
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
  collect(before, after, '', found, ignoreFields);
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

function pruned(value: Json, path: string, ignore: readonly string[]): Json {
  if (Array.isArray(value)) return value.map((item) => pruned(item, path, ignore));
  if (!isJsonObject(value)) return value;
  const kept: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value))
    if (!isIgnored(child(path, key), ignore)) kept[key] = pruned(item, child(path, key), ignore);
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
  return ignore.length === 0 ? state : pruned(state, '', ignore);
}

/** The scalar fields of a state as `path → value`, at most `max`, without ignored ones: what status shows. */
export function scalarsOf(state: Json, ignoreFields: readonly string[], max: number): Record<string, Json> {
  const found: Record<string, Json> = {};
  const walk = (value: Json, path: string): void => {
    if (Object.keys(found).length >= max || isIgnored(path, ignoreFields)) return;
    if (isJsonObject(value)) for (const [key, item] of Object.entries(value)) walk(item, child(path, key));
    else if (Array.isArray(value)) found[path] = `[${value.length} items]`;
    else found[path] = typeof value === 'string' && value.length > 128 ? `${value.slice(0, 128)}…` : value;
  };
  walk(state, '');
  return found;
}
