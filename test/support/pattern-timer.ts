import { parentPort } from 'node:worker_threads';
import { createAutomaton, type Found, search } from '../../src/domain/pattern/automaton.ts';
import { readPattern } from '../../src/domain/pattern/syntax.ts';
import { computingMs } from './computing.ts';

// A thread of its own: coverage is taken of the one that runs the tests, and makes what is counted there several times as slow.

/** Processor time that is measured over, because the clock of it is coarse. */
const sampleMs = 40;
const maxMs = 5;

/** A search that knows nothing of an earlier one. */
const firstSearch = (expression: string, text: string): Found => search(createAutomaton(readPattern(expression)), text);

/** What a first search takes on average, in processor time. */
function averageMs(expression: string, text: string): number {
  let total = 0;
  for (let searches = 1; ; searches++) {
    total += computingMs(() => firstSearch(expression, text));
    if (total >= sampleMs) return total / searches;
  }
}

/** What a first search takes; on a machine that kept it waiting, what it would have taken on another. */
function costOf(expression: string, text: string): { ms: number; steps: number } {
  const started = performance.now();
  const { steps } = firstSearch(expression, text);
  const ms = performance.now() - started;
  return { steps, ms: ms <= maxMs ? ms : averageMs(expression, text) };
}

parentPort?.on('message', ([expression, text]: [string, string]) => parentPort?.postMessage(costOf(expression, text)));
