import { types } from 'node:util';
import type { Json } from '../domain/json.ts';

/** Takes secrets out of everything that KCO writes: log lines, Events, status, outcomes. One per process. */
export interface Redactor {
  /** Remembers a secret, so that it is replaced wherever it turns up: as it is, in base64, URL-encoded or JSON-escaped. */
  add(secret: string): void;
  /** A text without secrets. */
  text(value: string): string;
  /** Anything as JSON without secrets: known literals, and whatever stands under a name that means a secret. Bounded in depth, length and breadth. */
  value(value: unknown): Json;
}

export const redacted = '[redacted]';

/** Names under which a value is a secret whatever it says. Compared without case, `-` and `_`. */
const secretName =
  /^(authorization|proxyauthorization|cookie|setcookie|password|passwd|secret|clientsecret|token|.*token|apikey|xapikey|privatekey|credentials?|signingkey)$/;
const isSecretName = (name: string) => secretName.test(name.toLowerCase().replaceAll(/[-_]/g, ''));

/** Below this a literal is more likely to be a word of an ordinary sentence than a leak, and replacing it ruins the text. */
const shortest = 4;
/** Bounds memory when Secrets rotate for a year. The longest unused ones go first. */
const mostKnown = 20_000;
const limits = { depth: 8, items: 100, characters: 4_096 };

const spellings = (secret: string): string[] =>
  [
    secret,
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('base64url'),
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ].filter((spelling) => spelling.length >= shortest);

/** Literals by their first letters: looking one text over costs its length, not the number of secrets. */
const createLiterals = () => {
  /** First letters → literal → how many secrets are spelt so. */
  const byStart = new Map<string, Map<string, number>>();
  const count = (literal: string, change: number): void => {
    const start = literal.slice(0, shortest);
    const same = byStart.get(start) ?? new Map<string, number>();
    const left = (same.get(literal) ?? 0) + change;
    if (left > 0) byStart.set(start, same.set(literal, left));
    else same.delete(literal);
    if (same.size === 0) byStart.delete(start);
  };
  return {
    add: (literal: string) => count(literal, 1),
    remove: (literal: string) => count(literal, -1),
    /** The longest known literal that begins at this place. */
    at(text: string, index: number): string | undefined {
      const same = byStart.get(text.slice(index, index + shortest));
      if (same === undefined) return undefined;
      const found = [...same.keys()].filter((literal) => text.startsWith(literal, index));
      return found.sort((a, b) => b.length - a.length)[0];
    },
  };
};

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Errors of another realm (a sandbox's) are errors too, and so are DOMExceptions, which are not native. */
const isError = (value: unknown): value is Error => types.isNativeError(value) || value instanceof Error;

/** What an error says, without its fields: requests and answers hang on those. */
const errorFacts = (error: Error): Record<string, unknown> => ({
  name: error.name,
  message: error.message,
  ...(error.stack === undefined ? {} : { stack: error.stack }),
  ...(error.cause === undefined ? {} : { cause: error.cause }),
});

/** Creates the redaction sink of a process. */
export const createRedactor = (): Redactor => {
  const known = new Set<string>();
  const literals = createLiterals();

  const forgetOldest = () => {
    const [oldest] = known;
    if (oldest === undefined) return;
    known.delete(oldest);
    for (const spelling of spellings(oldest)) literals.remove(spelling);
  };

  /** @param enough how many characters are wanted of the clean text: what is behind them is not looked over */
  const text = (value: string, enough = Number.POSITIVE_INFINITY): string => {
    if (known.size === 0) return value;
    let clean = '';
    let from = 0;
    for (let index = 0; index <= value.length - shortest; index++) {
      if (clean.length + index - from > enough) return clean + value.slice(from, index);
      const literal = literals.at(value, index);
      if (literal === undefined) continue;
      clean += value.slice(from, index) + redacted;
      from = index + literal.length;
      index = from - 1;
    }
    return clean + value.slice(from);
  };

  const cut = (value: string) => {
    const clean = text(value, limits.characters);
    return clean.length > limits.characters ? `${clean.slice(0, limits.characters)}…` : clean;
  };

  const entry = (name: string, value: unknown, depth: number, hidden: boolean): [string, Json] => {
    const isSecret = hidden || isSecretName(name);
    const inHeaders = /headers$/i.test(name) && typeof value === 'object';
    if (isSecret && !isPlain(value)) return [text(name), value === undefined || value === null ? null : redacted];
    return [text(name), walk(value, depth + 1, isSecret || inHeaders)];
  };

  const collection = (value: object, depth: number, hidden: boolean): Json => {
    if (depth > limits.depth) return '…';
    if (Array.isArray(value)) {
      return value
        .slice(0, limits.items)
        .map((item) => (hidden && !isPlain(item) ? redacted : walk(item, depth + 1, hidden)));
    }
    if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    const fields = isError(value) ? errorFacts(value) : value;
    const entries = Object.entries(fields).filter(([, field]) => field !== undefined);
    return Object.fromEntries(entries.slice(0, limits.items).map(([name, field]) => entry(name, field, depth, hidden)));
  };

  /** A PIN is a secret too. */
  const number = (value: number, hidden: boolean): Json => {
    const spelt = String(value);
    if (hidden || text(spelt) !== spelt) return redacted;
    return Number.isFinite(value) ? value : spelt;
  };

  const walk = (value: unknown, depth: number, hidden: boolean): Json => {
    if (typeof value === 'string') return hidden ? redacted : cut(value);
    if (typeof value === 'number') return number(value, hidden);
    if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null;
    if (typeof value === 'object') return collection(value, depth, hidden);
    return cut(String(value));
  };

  return {
    add(secret) {
      if (secret.length < shortest) return;
      if (known.delete(secret)) {
        known.add(secret);
        return;
      }
      known.add(secret);
      for (const spelling of spellings(secret)) literals.add(spelling);
      if (known.size > mostKnown) forgetOldest();
    },
    text: (value) => text(value),
    value: (value) => walk(value, 0, false),
  };
};
