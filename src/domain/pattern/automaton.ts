import { type Alphabet, createAlphabet } from './alphabet.ts';
import { type Characters, isWordCharacter } from './characters.ts';
import { asksOf, graphOf, linksOf } from './graph.ts';
import { type Pattern, place } from './syntax.ts';
import { advance, hasEnded, type Table, tableOf } from './table.ts';
import { isNowhere, newWords, type Words } from './words.ts';

/** The positions of an expression that a text has led to. */
interface State {
  live: Words;
  /** Nothing can match any more. */
  isDead: boolean;
  /** The state after one more character, by its class and the kind of place before it. Absent in a state that is not kept. */
  next?: Map<number, State>;
}

/** An expression as a machine that is at many of its positions at a time, so that it never has to go back in a text. */
export interface Automaton {
  words: number;
  alphabet: Alphabet;
  /** What is asked of the places between characters (`place`). */
  asks: number;
  ignoreCase: boolean;
  /** The table for places that are what `here` says. */
  tableAt(here: number): Table;
  /** Whether a match can begin only where the text does. */
  isAnchored: boolean;
  /** The states that are kept, by their positions. */
  states: Map<string, State>;
  /** How many steps from state to state are kept. */
  kept: number;
}

/** Most steps from state to state that are kept of one expression: ordinary texts need a few dozen. */
const maxKept = 300;

const ends = place.start | place.end;

/** Makes the automaton of an expression. Its size grows with the square of its positions at most. */
export function createAutomaton({ tree, ignoreCase }: Pattern): Automaton {
  const sets: Characters[] = [];
  const graph = graphOf(tree, sets);
  const words = Math.max(1, Math.ceil(sets.length / 32));
  const asks = asksOf(graph);
  const tables: (Table | undefined)[] = [];
  const tableAt = (here: number): Table => {
    const made = tables[here] ?? tableOf(linksOf(graph, sets.length, here), words, (here & ends) === 0);
    tables[here] = made;
    return made;
  };
  const canBegin = (here: number): boolean => tableAt(here).isEmpty || !isNowhere(tableAt(here).first);
  const isAnchored =
    (asks & place.start) !== 0 &&
    (asks & place.wordEdge) === 0 &&
    ![0, asks & place.end].some((here) => canBegin(here));
  return {
    words,
    alphabet: createAlphabet(sets, words),
    asks,
    ignoreCase,
    tableAt,
    isAnchored,
    states: new Map(),
    kept: 0,
  };
}

/** What it takes to ask the engine about a character, measured in steps. */
const nativeSteps = 8;

/** The most steps that an automaton takes for one character of a text, whatever the text. */
export function maxStepsOf({ alphabet, asks, tableAt }: Automaton): number {
  const tables = [0, asks & place.wordEdge].map(tableAt);
  return 1 + Math.max(...tables.map(({ maxSteps }) => maxSteps)) + alphabet.natives * nativeSteps;
}

/** What is so between two characters (undefined: none, at the ends of the text), of what an expression asks. */
function hereOf({ asks, ignoreCase }: Automaton, before: number | undefined, code: number | undefined): number {
  const here = asks & ((before === undefined ? place.start : 0) | (code === undefined ? place.end : 0));
  const isEdge =
    (asks & place.wordEdge) !== 0 && isWordCharacter(before, ignoreCase) !== isWordCharacter(code, ignoreCase);
  return isEdge ? here | place.wordEdge : here;
}

/** The state of some positions, kept while there is room. */
function stateOf(automaton: Automaton, live: Words): State {
  const isDead = automaton.isAnchored && isNowhere(live);
  if (automaton.kept >= maxKept) return { live, isDead };
  const key = live.join();
  const state = automaton.states.get(key) ?? { live, isDead, next: new Map() };
  automaton.states.set(key, state);
  return state;
}

/** Forgets all states when there is no room for more: the next text may lead to others. */
function makeRoom(automaton: Automaton): void {
  if (automaton.kept < maxKept) return;
  automaton.states.clear();
  automaton.kept = 0;
}

/** What a search found, and how many steps it took. */
export interface Found {
  isMatch: boolean;
  steps: number;
}

/** The state after one more character; `matched` where a match has ended before it. */
function after(automaton: Automaton, state: State, here: number, code: number, found: Found): State | 'matched' {
  const { words, alphabet, tableAt } = automaton;
  const characterClass = alphabet.classOf(code);
  const key = (characterClass << 3) | here;
  const known = state.next?.get(key);
  found.steps += 1 + alphabet.natives * nativeSteps;
  if (known !== undefined) return known;
  const table = tableAt(here);
  if (hasEnded(table, state.live)) return 'matched';
  const live = newWords(words);
  found.steps += advance(table, state.live, live);
  alphabet.restrict(live, characterClass);
  const next = stateOf(automaton, live);
  if (state.next !== undefined && automaton.kept < maxKept) {
    state.next.set(key, next);
    automaton.kept += 1;
  }
  return next;
}

/** Whether an expression matches somewhere in a text. */
export function search(automaton: Automaton, text: string): Found {
  const { asks, tableAt, words } = automaton;
  const found: Found = { isMatch: false, steps: 0 };
  makeRoom(automaton);
  let state = stateOf(automaton, newWords(words));
  let before: number | undefined;
  for (let at = 0; ; ) {
    const code = text.codePointAt(at);
    const here = asks === 0 ? 0 : hereOf(automaton, before, code);
    if (code === undefined) return { ...found, isMatch: hasEnded(tableAt(here), state.live) };
    const next = after(automaton, state, here, code, found);
    if (next === 'matched') return { ...found, isMatch: true };
    if (next.isDead) return found;
    state = next;
    before = code;
    at += code > 0xffff ? 2 : 1;
  }
}
