import { describe, expect, it } from '@jest/globals';
import { patternProblem } from '../../src/domain/pattern.ts';

describe('patternProblem', () => {
  it.each([
    '^(down|failed)$',
    '(?:a|b)',
    'v\\d+\\.\\d+\\.\\d+',
    '^[a-z()+*]+$',
    '(\\d{1,3}\\.){3}\\d{1,3}',
    'colou?r',
    'error.*timeout',
    '(?<code>[45]\\d\\d)',
    '\\(a+\\)+',
    '(a|b){2}',
  ])('takes %s', (pattern) => {
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
    { pattern: '.*.*.*.*=', words: '4 unbounded repetitions, 3 are the limit' },
    { pattern: '(', words: 'is not a regular expression' },
    { pattern: 'a'.repeat(257), words: '257 characters, 256 are the limit' },
  ])('refuses $pattern', ({ pattern, words }) => {
    expect(patternProblem(pattern)).toContain(words);
  });
});
