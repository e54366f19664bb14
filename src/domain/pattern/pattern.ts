import { type Automaton, createAutomaton, maxStepsOf, search } from './automaton.ts';
import { PatternError } from './cursor.ts';
import { sizeOf } from './graph.ts';
import { readPattern } from './syntax.ts';

/** Longest regular expression that is accepted. */
export const maxPatternLength = 256;
/** Most characters that an expression stands for, one after the other or in each other's place. */
const maxPositions = 256;
/** Most parts of any kind: what repeats places or nothing stands for no character, and takes time all the same. */
const maxParts = 2048;
/** Most steps for each character of a text: 4096 characters are then some two milliseconds at worst. */
const maxSteps = 80;
const maxRemembered = 64;

/** Shortest text whose verdict is remembered: looking over a shorter one again costs less. */
const minTextRemembered = 64;
/** Most characters, all texts together, whose verdicts are remembered of one expression. */
const maxCharactersRemembered = 32_768;

/** An expression that is accepted. */
interface Accepted {
  automaton: Automaton;
  /** The most steps for each character of a text. */
  steps: number;
  /** What was said of texts, because most of them come again with the next poll; and how many characters they have. */
  verdicts: Map<string, boolean>;
  characters: number;
}

/** An expression that is accepted, or the rest of a sentence that says why not. */
type Compiled = Accepted | { problem: string };

const repeatLess = 'write + or * in place of large numbers in {m,n}, or fewer alternatives';

function compile(text: string): Compiled {
  if (text.length > maxPatternLength)
    return { problem: `has ${text.length} characters, ${maxPatternLength} are the limit` };
  const pattern = readPattern(text);
  const { positions, parts } = sizeOf(pattern.tree);
  const written = 'with its repetitions written out';
  if (positions > maxPositions)
    return { problem: `has ${positions} characters ${written}, ${maxPositions} are the limit: ${repeatLess}` };
  if (parts > maxParts) return { problem: `has ${parts} parts ${written}, ${maxParts} are the limit: ${repeatLess}` };
  const automaton = createAutomaton(pattern);
  const steps = maxStepsOf(automaton);
  if (steps <= maxSteps) return { automaton, steps, verdicts: new Map(), characters: 0 };
  return { problem: `takes ${steps} steps for each character of a text, ${maxSteps} are the limit: ${repeatLess}` };
}

/** A memo of a pure function, forgotten as a whole when full: expressions come from specs, so there are few. */
const remembered = new Map<string, Compiled>();

function compiled(text: string): Compiled {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  let made: Compiled;
  try {
    made = compile(text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    made = { problem: error.message };
  }
  if (remembered.size >= maxRemembered) remembered.clear();
  remembered.set(text, made);
  return made;
}

/**
 * Why a regular expression is not accepted, with the fix; undefined when it is. Accepted is what an automaton can match
 * in one pass, in a bounded number of steps for each character: JavaScript's syntax with the flag u, and (?i), (?s) in
 * front; neither back-references nor look-around.
 */
export function patternProblem(text: string): string | undefined {
  const made = compiled(text);
  return 'problem' in made ? made.problem : undefined;
}

/** The most steps that an expression takes for each character of a text; 0 for one that is not accepted. */
export function stepsOf(text: string): number {
  const made = compiled(text);
  return 'problem' in made ? 0 : made.steps;
}

function verdictOn(accepted: Accepted, text: string): boolean {
  const { automaton, verdicts } = accepted;
  if (text.length < minTextRemembered) return search(automaton, text).isMatch;
  const known = verdicts.get(text);
  if (known !== undefined) return known;
  const verdict = search(automaton, text).isMatch;
  if (accepted.characters + text.length > maxCharactersRemembered) {
    verdicts.clear();
    accepted.characters = 0;
  }
  accepted.characters += text.length;
  verdicts.set(text, verdict);
  return verdict;
}

/** Whether an expression matches somewhere in a text, as `new RegExp(pattern, 'u').test(text)`; undefined where it is not accepted. */
export function matchesPattern(pattern: string, text: string): boolean | undefined {
  const made = compiled(pattern);
  return 'problem' in made ? undefined : verdictOn(made, text);
}
