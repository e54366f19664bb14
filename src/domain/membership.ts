import { isJsonObject, type Json } from './json.ts';

/** What is known of a list, so that a value is looked up in it instead of compared with each of its elements. */
interface Members {
  /** Whether an element is equal to the value. */
  has(value: Json): boolean;
  /** Whether an element is of the value's type; null can be compared with anything. */
  isComparable(value: Json): boolean;
}

/** A text that two values share when they are equal, and only then. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${fields.sort().join()}}`;
}

const isScalar = (value: Json): boolean => typeof value !== 'object' || value === null;

function read(list: readonly Json[]): Members {
  const scalars = new Set(list.filter(isScalar));
  const others = new Set(list.filter((item) => !isScalar(item)).map(canonical));
  const types = new Set(list.map((item) => typeof item));
  return {
    has: (value) => (isScalar(value) ? scalars.has(value) : others.size > 0 && others.has(canonical(value))),
    isComparable: (value) => value === null || scalars.has(null) || types.has(typeof value),
  };
}

const remembered = new WeakMap<readonly Json[], Members>();

/** The members of a list that does not change. It is read once: the lists of rules are asked about every value of every poll. */
export function membersOf(list: readonly Json[]): Members {
  const members = remembered.get(list) ?? read(list);
  remembered.set(list, members);
  return members;
}
