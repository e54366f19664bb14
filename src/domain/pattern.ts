/** Longest regular expression that is accepted. */
const maxLength = 256;
/** Each unbounded repetition multiplies the time by the length of the text; so many are still quick on a capped text. */
const maxUnbounded = 3;
/** Most repetitions that nested bounded quantifiers may multiply to. */
const maxNested = 100;

const token = /\\.|\[(?:\\.|[^\]\\])*\]|\(\?<?[=!]|\(\?<[A-Za-z_]\w*>|\(\?:|./su;
const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;

/** What is known of the group that is being read. */
interface Group {
  /** Largest number of repetitions inside it. */
  repeats: number;
  hasChoice: boolean;
}

const most = (text: string): number => {
  if (text.startsWith('?')) return 1;
  if (!text.startsWith('{')) return Number.POSITIVE_INFINITY;
  const [least = '', limit = least] = text.slice(1).split('}')[0]?.split(',') ?? [];
  return limit === '' ? Number.POSITIVE_INFINITY : Number(limit);
};

const nestedProblem = (inner: Group | undefined, times: number): string | undefined => {
  if (inner === undefined || times <= 1) return undefined;
  if (inner.hasChoice && times > maxNested)
    return 'repeats a group with alternatives: use a character class such as [ab]*';
  if (inner.repeats > 0 && inner.repeats * times > maxNested)
    return 'repeats a group that repeats itself, which can take forever: write it without the inner or the outer repetition';
  return undefined;
};

const refused = (text: string): string | undefined => {
  if (/^\\[1-9k]/.test(text)) return 'has a back-reference: compare with a fixed text instead';
  if (/^\(\?<?[=!]/.test(text)) return 'looks ahead or behind: write what is to match itself';
  return undefined;
};

/** What was read so far: the groups that are open, the one that was just closed, and the repetitions without a limit. */
interface Reading {
  open: Group[];
  closed?: Group;
  unbounded: number;
}

const innermost = ({ open }: Reading): Group => open.at(-1) ?? { repeats: 0, hasChoice: false };

function readQuantifier(reading: Reading, text: string): string | undefined {
  const times = most(text);
  const inside = innermost(reading);
  const problem = nestedProblem(reading.closed, times);
  if (times === Number.POSITIVE_INFINITY) reading.unbounded += 1;
  inside.repeats = Math.max(inside.repeats, times, reading.closed?.repeats ?? 0);
  reading.closed = undefined;
  return problem;
}

function closeGroup(reading: Reading): void {
  const closed = reading.open.pop();
  if (closed === undefined) return;
  const around = innermost(reading);
  around.repeats = Math.max(around.repeats, closed.repeats);
  around.hasChoice ||= closed.hasChoice;
  reading.closed = closed;
}

function readToken(reading: Reading, text: string): string | undefined {
  reading.closed = undefined;
  if (text === ')') closeGroup(reading);
  else if (text.startsWith('(')) reading.open.push({ repeats: 0, hasChoice: false });
  else if (text === '|') innermost(reading).hasChoice = true;
  return refused(text);
}

/** Walks over the tokens of a valid expression and names the first thing that can make it slow. */
const slowness = (text: string): string | undefined => {
  const reading: Reading = { open: [{ repeats: 0, hasChoice: false }], unbounded: 0 };
  for (let rest = text; rest !== ''; ) {
    const times = quantifier.exec(rest)?.[0];
    const piece = times ?? token.exec(rest)?.[0] ?? rest;
    const problem = times === undefined ? readToken(reading, piece) : readQuantifier(reading, times);
    if (problem !== undefined) return problem;
    rest = rest.slice(piece.length);
  }
  return reading.unbounded > maxUnbounded
    ? `has ${reading.unbounded} unbounded repetitions, ${maxUnbounded} are the limit: be more specific`
    : undefined;
};

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
 * can take more than polynomial time is refused beforehand: nested repetitions, repeated alternatives, back-references.
 */
export const patternProblem = (text: string): string | undefined => {
  if (text.length > maxLength) return `has ${text.length} characters, ${maxLength} are the limit`;
  const syntax = syntaxProblem(text);
  return syntax === undefined ? slowness(text) : `is not a regular expression: ${syntax}`;
};
