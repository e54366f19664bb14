/** Why an expression is refused: the rest of a sentence that begins with the expression. */
export class PatternError extends Error {}

/** An expression, how it is to be read, and how far it has been. */
export class Cursor {
  readonly text: string;
  at = 0;
  /** The flag i: letters match in any case. */
  ignoreCase = false;
  /** The flag s: a dot matches the end of a line too. */
  dotAll = false;
  /** Names of groups, of which each may come once. */
  readonly names = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** Whether one of these characters is next. */
  isAt(characters: string): boolean {
    return !this.isAtEnd && characters.includes(this.text[this.at] ?? '');
  }

  /** Passes what a sticky expression finds here. */
  take(what: RegExp): RegExpExecArray | undefined {
    what.lastIndex = this.at;
    const found = what.exec(this.text) ?? undefined;
    this.at += found?.[0].length ?? 0;
    return found;
  }

  /** Passes a word, where it stands here. */
  takeWord(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  /** Refuses what stands here as wrong syntax. */
  fail(why: string): never {
    throw new PatternError(`is not a regular expression: character ${this.at + 1} ${why}`);
  }
}
