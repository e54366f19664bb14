export const redacted = '[redacted]';

/** Below this a literal is more likely to be a word of an ordinary sentence than a leak, and replacing it ruins the text. */
const shortest = 4;
/** Bounds memory when Secrets rotate for a year. The longest unused ones go first. */
const mostKnown = 20_000;

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

/** Secrets that are known by their text, in every spelling in which they may turn up. */
export class KnownSecrets {
  readonly #known = new Set<string>();
  readonly #literals = createLiterals();

  add(secret: string): void {
    if (secret.length < shortest) return;
    const isNew = !this.#known.delete(secret);
    this.#known.add(secret);
    if (!isNew) return;
    for (const spelling of spellings(secret)) this.#literals.add(spelling);
    if (this.#known.size > mostKnown) this.#forgetOldest();
  }

  /**
   * A text without them.
   * @param enough how many characters are wanted of the clean text: what is behind them is not looked over
   */
  hide(text: string, enough = Number.POSITIVE_INFINITY): string {
    if (this.#known.size === 0) return text;
    let clean = '';
    let from = 0;
    for (let index = 0; index <= text.length - shortest; index++) {
      if (clean.length + index - from > enough) return clean + text.slice(from, index);
      const literal = this.#literals.at(text, index);
      if (literal === undefined) continue;
      clean += text.slice(from, index) + redacted;
      from = index + literal.length;
      index = from - 1;
    }
    return clean + text.slice(from);
  }

  #forgetOldest(): void {
    const [oldest] = this.#known;
    if (oldest === undefined) return;
    this.#known.delete(oldest);
    for (const spelling of spellings(oldest)) this.#literals.remove(spelling);
  }
}
