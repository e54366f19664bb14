/** Longest regular expression that is accepted. */
const maxLength = 256;
/** The time may grow with the square of the text's length, no faster: 4096 characters are then some ten milliseconds. */
const maxDegree = 2;
/** A repetition of more than this counts as one without a limit. */
const manyTimes = 10;
/** Most repetitions that nested bounded quantifiers may multiply to. */
const maxNested = 100;

const piece =
  /\\[pPu]\{[^}]*\}|\\u[\dA-Fa-f]{4}|\\x[\dA-Fa-f]{2}|\\c.|\\.|\[(?:\\.|[^\]\\])*\]|\(\?<?[=!]|\(\?<[A-Za-z_]\w*>|\(\?:|./su;
const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;

/** One piece of an expression with how often it may come: `[1, 1]` without a quantifier. */
interface Token {
  text: string;
  least: number;
  most: number;
}

/** What is known of a group. */
interface Group {
  /** Largest number of repetitions inside it. */
  repeats: number;
  hasChoice: boolean;
}

function timesOf(text: string): { least: number; most: number } {
  if (text.startsWith('?')) return { least: 0, most: 1 };
  if (!text.startsWith('{')) return { least: text.startsWith('+') ? 1 : 0, most: Number.POSITIVE_INFINITY };
  const [least = '0', limit = least] = text.slice(1, text.indexOf('}')).split(',');
  return { least: Number(least), most: limit === '' ? Number.POSITIVE_INFINITY : Number(limit) };
}

/** The tokens of a valid expression. */
function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let rest = pattern; rest !== ''; ) {
    const text = piece.exec(rest)?.[0] ?? rest;
    rest = rest.slice(text.length);
    // The question mark of `(?` and its like belongs to the parenthesis.
    const times = text.startsWith('(') ? '' : (quantifier.exec(rest)?.[0] ?? '');
    rest = rest.slice(times.length);
    tokens.push({ text, ...(times === '' ? { least: 1, most: 1 } : timesOf(times)) });
  }
  return tokens;
}

function refusal({ text }: Token): string | undefined {
  if (/^\\[1-9k]/.test(text)) return 'has a back-reference: compare with a fixed text instead';
  if (/^\(\?<?[=!]/.test(text)) return 'looks ahead or behind: write what is to match itself';
  return undefined;
}

function repeatedGroup({ hasChoice, repeats }: Group, most: number): string | undefined {
  if (hasChoice && most > maxNested)
    return 'repeats a group with alternatives: use a character class such as [ab]*, or {0,9}';
  if (most > 1 && repeats > 0 && repeats * most > maxNested)
    return 'repeats a group that repeats itself, which can take forever: write it without the inner or the outer repetition';
  return undefined;
}

/** Walks over the groups and names the first repetition inside a repetition. */
function nesting(tokens: readonly Token[]): string | undefined {
  const open: Group[] = [{ repeats: 0, hasChoice: false }];
  for (const { text, least, most } of tokens) {
    const closed = text === ')' ? open.pop() : undefined;
    const inside = open.at(-1) ?? { repeats: 0, hasChoice: false };
    const problem = closed && repeatedGroup(closed, most);
    if (problem !== undefined) return problem;
    const repeats = least === 1 && most === 1 ? 0 : most;
    inside.repeats = Math.max(inside.repeats, repeats, closed?.repeats ?? 0);
    inside.hasChoice ||= text === '|' || (closed?.hasChoice ?? false);
    if (text.startsWith('(')) open.push({ repeats: 0, hasChoice: false });
  }
  return undefined;
}

/** Characters to try classes on: the first 256, and two beyond. */
const samples = [...Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code)), 'Ā', '😀'];

const overlap = (a: Token, b: Token): boolean => {
  const [first, second] = [a, b].map(({ text }) => new RegExp(`^${text}$`, 'su'));
  return samples.some((sample) => first?.test(sample) && second?.test(sample));
};

const isCharacter = ({ text }: Token): boolean => !/^(?:[()|^$]|\\[bB])/.test(text);

/** Whether a repetition can end at several places, so that each of them may be tried. */
function canEndAnywhere(token: Token, next: Token | undefined): boolean {
  if (next === undefined || next.text === '$') return false;
  return !isCharacter(token) || !isCharacter(next) || next.least === 0 || overlap(token, next);
}

/** With which power of the text's length the time can grow. */
function degreeOf(tokens: readonly Token[]): number {
  const isAnchored = tokens[0]?.text === '^' && !tokens.some(({ text }) => text === '|');
  const repeated = tokens.filter((token, index) => token.most > manyTimes && canEndAnywhere(token, tokens[index + 1]));
  return repeated.length + (isAnchored ? 0 : 1);
}

function slowness(tokens: readonly Token[]): string | undefined {
  const problem = tokens.map(refusal).find((found) => found !== undefined) ?? nesting(tokens);
  if (problem !== undefined || degreeOf(tokens) <= maxDegree) return problem;
  return 'has too many repetitions that can end anywhere: begin it with ^, or put something between them that they do not match';
}

const syntaxProblem = (text: string): string | undefined => {
  try {
    new RegExp(text, 'u');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : String(error);
  }
};

/**
 * Why a regular expression is not accepted, with the fix; undefined when it is. JavaScript's matcher backtracks, so what
 * can take more than quadratic time is refused beforehand: nested repetitions, repeated alternatives, back-references,
 * several repetitions that can end anywhere. Stricter than need be, never laxer.
 */
export const patternProblem = (text: string): string | undefined => {
  if (text.length > maxLength) return `has ${text.length} characters, ${maxLength} are the limit`;
  const syntax = syntaxProblem(text);
  return syntax === undefined ? slowness(tokensOf(text)) : `is not a regular expression: ${syntax}`;
};
