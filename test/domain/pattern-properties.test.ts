import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchesPattern, patternProblem, stepsOf } from '../../src/domain/pattern.ts';
import { createAutomaton, type Found, search } from '../../src/domain/pattern-automaton.ts';
import { readPattern } from '../../src/domain/pattern-syntax.ts';
import { computingMs } from '../support/computing.ts';
import { runs } from '../support/fuzz-runs.ts';
import { hardPattern, nativelyMatches, pattern, textOf, textUpTo } from '../support/patterns.ts';

const longest = 4096;
const maxMs = 5;

/** A search that knows nothing of an earlier one. */
const firstSearch = (expression: string, text: string): Found => search(createAutomaton(readPattern(expression)), text);

/** Processor time that is measured over, because the clock of it is coarse. */
const sampleMs = 40;

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

describe('a regular expression that is accepted', () => {
  it('says of a text what JavaScript says', () => {
    fc.assert(
      fc.property(pattern, fc.array(textUpTo(7), { minLength: 1, maxLength: 5 }), (expression, texts) => {
        fc.pre(patternProblem(expression) === undefined);
        for (const text of texts)
          expect({ text, matches: matchesPattern(expression, text) }).toEqual({
            text,
            matches: nativelyMatches(text, expression),
          });
      }),
      runs(400),
    );
  });

  it('is looked for in 4096 characters within 5 ms and its steps, from the first time on', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(hardPattern, pattern), textOf(longest), (expression, text) => {
        fc.pre(patternProblem(expression) === undefined);
        accepted += 1;
        const { ms, steps } = costOf(expression, text);
        expect(steps).toBeLessThanOrEqual(stepsOf(expression) * longest);
        expect(ms).toBeLessThanOrEqual(maxMs);
      }),
      runs(400),
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
