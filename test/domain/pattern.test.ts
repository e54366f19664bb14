import { describe, expect, it } from '@jest/globals';
import { patternProblem } from '../../src/domain/pattern.ts';

const accepted = [
  '^(down|failed)$',
  '(?:a|b)',
  'v\\d+\\.\\d+\\.\\d+',
  '^\\d+\\.\\d+\\.\\d+(-rc)?$',
  '^[a-z()+*]+$',
  '(\\d{1,3}\\.){3}\\d{1,3}',
  'colou?r',
  'error.*timeout',
  '^.*foo.*bar',
  '(?<code>[45]\\d\\d)',
  '\\(a+\\)+',
  '(a|b){2}',
  '\\p{L}+\\u{1F600}',
  '^\\s*ok\\s*$',
];

describe('patternProblem', () => {
  it.each(accepted)('takes %s', (pattern) => {
    expect(patternProblem(pattern)).toBeUndefined();
  });

  it.each([
    { pattern: '(a+)+$', words: 'repeats a group that repeats itself' },
    { pattern: '((a+))*', words: 'repeats a group that repeats itself' },
    { pattern: '(a?)*', words: 'repeats a group that repeats itself' },
    { pattern: '(?:(a{50})){50}', words: 'repeats a group that repeats itself' },
    { pattern: '(a|a)*$', words: 'repeats a group with alternatives' },
    { pattern: '((a|b)c)+', words: 'repeats a group with alternatives' },
    { pattern: '(a)\\1', words: 'back-reference' },
    { pattern: '(?=a)b', words: 'looks ahead or behind' },
    { pattern: '(?<!a)b', words: 'looks ahead or behind' },
    { pattern: '.*.*=', words: 'too many repetitions that can end anywhere: begin it with ^' },
    { pattern: '^.*.*.*=', words: 'too many repetitions that can end anywhere' },
    { pattern: '\\d+\\d+\\d+x', words: 'too many repetitions that can end anywhere' },
    { pattern: '^a*b?a*b?a*b?c', words: 'too many repetitions that can end anywhere' },
    { pattern: '^(.*)(.*)(.*)=', words: 'too many repetitions that can end anywhere' },
    { pattern: '(', words: 'is not a regular expression' },
    { pattern: 'a'.repeat(257), words: '257 characters, 256 are the limit' },
  ])('refuses $pattern', ({ pattern, words }) => {
    expect(patternProblem(pattern)).toContain(words);
  });

  it.each(accepted)('takes %s, which is quick on 4096 characters that nearly match', (pattern) => {
    const expression = new RegExp(pattern, 'u');
    const texts = ['a', '1', 'error', 'foo', '1.', ' ', 'aA'].map((part) => part.repeat(4096).slice(0, 4096));
    const started = performance.now();
    for (const text of texts) expression.test(`${text}\n`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
