import { types } from 'node:util';
import type { Json } from '../domain/json.ts';
import { KnownSecrets, redacted } from './known-secrets.ts';

/** The same value without known secrets in its texts, none of which gets longer: its shape and its limits hold. */
export type Redact = <T>(value: T) => T;

/** Takes secrets out of everything that KCO writes: log lines, Events, status, outcomes. One per process. */
export interface Redactor {
  /** Remembers a secret, so that it is replaced wherever it turns up: as it is, in base64, URL-encoded or JSON-escaped. */
  add(secret: string): void;
  /** A text without secrets. */
  text(value: string): string;
  /** For what has a schema: Events, status and outcomes. */
  redact: Redact;
  /** Anything as JSON without secrets: known literals, and whatever stands under a name that means a secret. Bounded in depth, length and breadth. */
  value(value: unknown): Json;
}

/** Names under which a value is a secret whatever it says. Compared without case, `-` and `_`. */
const secretName =
  /^(authorization|proxyauthorization|cookie|setcookie|password|passwd|secret|clientsecret|token|.*token|apikey|xapikey|privatekey|credentials?|signingkey)$/;
const isSecretName = (name: string) => secretName.test(name.toLowerCase().replaceAll(/[-_]/g, ''));

const limits = { depth: 8, items: 100, characters: 4_096 };

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

/** Anything as JSON without secrets. `hidden`: under a name that means a secret. */
class Cleaner {
  readonly #secrets: KnownSecrets;

  constructor(secrets: KnownSecrets) {
    this.#secrets = secrets;
  }

  clean(value: unknown, depth = 0, hidden = false): Json {
    if (typeof value === 'string') return hidden ? redacted : this.#cut(value);
    if (typeof value === 'number') return this.#number(value, hidden);
    if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null;
    if (typeof value === 'object') return this.#collection(value, depth, hidden);
    return this.#cut(String(value));
  }

  #cut(value: string): string {
    const clean = this.#secrets.hide(value, limits.characters);
    return clean.length > limits.characters ? `${clean.slice(0, limits.characters)}…` : clean;
  }

  /** A PIN is a secret too. */
  #number(value: number, hidden: boolean): Json {
    const spelt = String(value);
    if (hidden || this.#secrets.hide(spelt) !== spelt) return redacted;
    return Number.isFinite(value) ? value : spelt;
  }

  #collection(value: object, depth: number, hidden: boolean): Json {
    if (depth > limits.depth) return '…';
    if (Array.isArray(value)) {
      return value
        .slice(0, limits.items)
        .map((item) => (hidden && !isPlain(item) ? redacted : this.clean(item, depth + 1, hidden)));
    }
    if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    const fields = Object.entries(isError(value) ? errorFacts(value) : value).filter(
      ([, field]) => field !== undefined,
    );
    return Object.fromEntries(
      fields.slice(0, limits.items).map(([name, field]) => this.#entry(name, field, depth, hidden)),
    );
  }

  #entry(name: string, value: unknown, depth: number, hidden: boolean): [string, Json] {
    const shown = this.#secrets.hide(name);
    const isSecret = hidden || isSecretName(name);
    const inHeaders = /headers$/i.test(name) && typeof value === 'object';
    if (isSecret && !isPlain(value)) return [shown, value === undefined || value === null ? null : redacted];
    return [shown, this.clean(value, depth + 1, isSecret || inHeaders)];
  }
}

const withoutSecrets = (value: unknown, secrets: KnownSecrets): unknown => {
  if (typeof value === 'string') return secrets.hide(value).slice(0, value.length);
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, secrets));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withoutSecrets(field, secrets)]));
};

/** Creates the redaction sink of a process. */
export const createRedactor = (): Redactor => {
  const secrets = new KnownSecrets();
  const cleaner = new Cleaner(secrets);
  return {
    add: (secret) => secrets.add(secret),
    text: (value) => secrets.hide(value),
    redact: <T>(value: T) => withoutSecrets(value, secrets) as T,
    value: (value) => cleaner.clean(value),
  };
};
