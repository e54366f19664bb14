import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchesPattern, patternProblem, stepsOf } from '../../../src/domain/pattern/pattern.ts';
import { runs } from '../../support/fuzz-runs.ts';
import { hardPattern, nativelyMatches, pattern, textOf, textUpTo } from '../../support/patterns.ts';

const longest = 4096;
const maxMs = 5;

/** What a search of an expression takes that nobody has searched with before. */
async function costOf(timer: Worker, expression: string, text: string): Promise<{ ms: number; steps: number }> {
  timer.postMessage([expression, text]);
  const [cost] = await once(timer, 'message');
  return cost;
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

  it('is looked for in 4096 characters within 5 ms and its steps, from the first time on', async () => {
    const timer = new Worker(new URL('../../support/pattern-timer.ts', import.meta.url));
    let accepted = 0;
    try {
      await fc.assert(
        fc.asyncProperty(fc.oneof(hardPattern, pattern), textOf(longest), async (expression, text) => {
          fc.pre(patternProblem(expression) === undefined);
          accepted += 1;
          const { ms, steps } = await costOf(timer, expression, text);
          expect(steps).toBeLessThanOrEqual(stepsOf(expression) * longest);
          expect(ms).toBeLessThanOrEqual(maxMs);
        }),
        runs(400),
      );
    } finally {
      await timer.terminate();
    }
    expect(accepted).toBeGreaterThan(100);
  });
});
