import type { Json, JsonObject } from '../../domain/json.ts';
import { sanitize } from './sanitize.ts';

/** How much structure a document may have. */
export interface JsonLimits {
  /** Nested objects and lists; a scalar has depth 0. */
  maxDepth: number;
  /** Object keys and list elements, all together. */
  maxKeys: number;
}

/** Why a document is not taken. */
type JsonFault = 'ForbiddenKey' | 'InvalidJSON' | 'TooDeep' | 'TooLarge';

/** Where something stands in a document: keys of objects and indexes of lists. */
export type JsonPlace = readonly (string | number)[];

/**
 * The value, or why there is none. `unsafe`: where it has a null in the place of a number that a double does not hold
 * exactly, so that nothing is concluded from a neighbour of what was written.
 */
export type ParsedJson =
  | { ok: true; value: Json; unsafe: JsonPlace[] }
  | { ok: false; class: JsonFault; message: string };

/** Enough for any state that a person would write rules about. */
export const defaultJsonLimits: JsonLimits = { maxDepth: 32, maxKeys: 10_000 };

class Unacceptable extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault, message: string) {
    super(message);
    this.name = 'Unacceptable';
    this.fault = fault;
  }
}

/** Keys that reach an object's prototype when a document is copied or merged carelessly, here or further on. */
const isForbidden = (key: string): boolean => key === '__proto__' || key === 'constructor' || key === 'prototype';

const isSafe = (value: number): boolean =>
  Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));

/** Walks a parsed value once: limits, keys, numbers; and mends strings and numbers in place. */
class Inspection {
  readonly #limits: JsonLimits;
  readonly #mend: boolean;
  #entries = 0;
  /** Object keys met. */
  keys = 0;
  readonly unsafe: JsonPlace[] = [];
  /** Where the walk is. */
  readonly #place: (string | number)[] = [];

  constructor(limits: JsonLimits, mend: boolean) {
    this.#limits = limits;
    this.#mend = mend;
  }

  /** The value as it is to be taken. */
  visit(value: Json, depth: number): Json {
    if (typeof value === 'string') return this.#mend ? value.toWellFormed() : value;
    if (typeof value === 'object' && value !== null) this.#descend(value, depth + 1);
    if (typeof value !== 'number' || isSafe(value)) return value;
    this.unsafe.push([...this.#place]);
    return null;
  }

  #descend(value: Json[] | JsonObject, depth: number): void {
    const { maxDepth } = this.#limits;
    if (depth > maxDepth) throw new Unacceptable('TooDeep', `nested deeper than ${maxDepth} levels`);
    if (Array.isArray(value)) this.#list(value, depth);
    else this.#object(value, depth);
  }

  #count(): void {
    const { maxKeys } = this.#limits;
    if (++this.#entries > maxKeys) throw new Unacceptable('TooLarge', `more than ${maxKeys} keys and list elements`);
  }

  #list(list: Json[], depth: number): void {
    for (let index = 0; index < list.length; index++) {
      this.#count();
      this.#step(list as { [index: number]: Json }, index, depth);
    }
  }

  #object(object: JsonObject, depth: number): void {
    for (const key in object) {
      this.#count();
      this.keys++;
      if (isForbidden(key) || (this.#mend && !key.isWellFormed())) {
        throw new Unacceptable('ForbiddenKey', `the key ${JSON.stringify(sanitize(key, 40))} is refused`);
      }
      this.#step(object, key, depth);
    }
  }

  #step(parent: { [key: string | number]: Json }, key: string | number, depth: number): void {
    const value = parent[key] as Json;
    this.#place.push(key);
    const taken = this.visit(value, depth);
    if (taken !== value) parent[key] = taken;
    this.#place.pop();
  }
}

/** How many keys the text of a valid document writes down: its colons outside strings. */
const keysWritten = (text: string): number => {
  let keys = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) keys++;
    else if (code === 0x22) at = endOfString(text, at + 1);
  }
  return keys;
};

/** Where the string that starts at `from` has its closing quote. */
const endOfString = (text: string, from: number): number => {
  let end = text.indexOf('"', from);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
};

const isEscaped = (text: string, at: number): boolean => {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
};

const accept = (text: string, limits: JsonLimits): { value: Json; unsafe: JsonPlace[] } => {
  const value = JSON.parse(text) as Json;
  // A lone surrogate can only be written as an escape: raw ones are not valid UTF-8 and never get here.
  const inspection = new Inspection(limits, /\\u[dD]/.test(text));
  const taken = inspection.visit(value, 0);
  if (keysWritten(text) !== inspection.keys) {
    throw new Unacceptable('InvalidJSON', 'an object names the same key twice: which value holds is not defined');
  }
  return { value: taken, unsafe: inspection.unsafe };
};

/**
 * Parses JSON from a source that is not trusted. Beyond JSON's grammar it refuses keys that reach prototypes, a key named
 * twice in one object, and structure beyond `limits`. Numbers that a double does not hold exactly (any integral value
 * beyond ±(2^53 − 1), whatever its notation) are taken out. A byte order mark is skipped. Lone surrogates in strings
 * become U+FFFD.
 */
export const parseSafely = (text: string, limits: JsonLimits = defaultJsonLimits): ParsedJson => {
  try {
    return { ok: true, ...accept(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, limits) };
  } catch (error) {
    if (error instanceof Unacceptable) return { ok: false, class: error.fault, message: error.message };
    // The parser's own words quote the document.
    return { ok: false, class: 'InvalidJSON', message: text.trim() === '' ? 'empty' : 'not valid JSON, or cut off' };
  }
};
