import { describe, expect, it } from '@jest/globals';
import { createAutomaton, search } from '../../../src/domain/pattern/automaton.ts';
import { matchesPattern, patternProblem, stepsOf } from '../../../src/domain/pattern/pattern.ts';
import { readPattern } from '../../../src/domain/pattern/syntax.ts';
import { computingMs } from '../../support/computing.ts';

/** An expression, texts that it matches, and texts that it does not match. */
const verdicts: [pattern: string, matching: string[], other: string[]][] = [
  ['^(down|failed)$', ['down', 'failed'], ['downs', 'is down', '']],
  ['(?:a|b)', ['xb'], ['c', '']],
  ['v\\d+\\.\\d+\\.\\d+', ['v1.22.3', 'is v1.2.3-rc'], ['v1.2', 'v1.2.x']],
  ['v1\\.[0-9]+', ['v1.30'], ['v1x30']],
  ['^\\d+\\.\\d+\\.\\d+(-rc)?$', ['1.2.3', '1.2.3-rc'], ['1.2.3-', 'v1.2.3']],
  ['^[a-z()+*]+$', ['a(b)*'], ['A', '']],
  ['(\\d{1,3}\\.){3}\\d{1,3}', ['at 10.0.0.255'], ['10.0.0.', '10.0.0']],
  ['colou?r', ['color', 'colour'], ['colouur']],
  ['error.*timeout', ['error: a timeout'], ['timeout error', 'error\ntimeout']],
  ['(?s)error.*timeout', ['error\ntimeout'], ['timeout error']],
  ['(?i)error', ['ERROR', 'an eRRor'], ['err']],
  ['(?i)größe', ['GRÖßE', 'GRÖẞE'], ['GRÖSSE']],
  ['(?i)K', ['k', '\u212a'], ['c']],
  ['^.*foo.*bar', ['xfooxbar'], ['barfoo']],
  ['(?<code>[45]\\d\\d)', ['got 503'], ['got 200']],
  ['\\(a+\\)+', ['(aa))'], ['()']],
  ['(a|b){2}', ['ab'], ['a']],
  ['(a|bc){2,3}$', ['abca', 'abc'], ['a', 'xa']],
  ['\\p{L}+\\u{1F600}', ['é😀'], ['1😀']],
  ['^.$', ['😀', 'a'], ['ab', '', '\n']],
  ['^[^a]$', ['😀', '\n'], ['a']],
  ['^\\s*ok\\s*$', ['ok', '\u00a0ok\ufeff'], ['o k']],
  ['\\bdown\\b', ['is down.', 'down'], ['downtime', 'shut_down']],
  ['\\Bdown', ['shutdown'], ['down', ' down']],
  ['^$', [''], ['a', '\n']],
  ['', ['', 'a'], []],
  ['$', ['', 'a'], []],
  ['[]', [], ['', 'a']],
  ['a{0}', ['', 'b'], []],
  ['(a*)*$', ['', 'b'], []],
  ['(?:\\b|x){3}a', ['a', 'xxxa', '-a'], ['b']],
  ['\\x41\\u0042\\u{43}\\cJ\\t\\0\\/', ['ABC\n\t\0/'], ['ABC']],
  ['^[\\b\\-\\]a-c]+$', ['\b-]abc'], ['d']],
  ['a'.repeat(256), ['a'.repeat(256)], ['a'.repeat(255)]],
];

describe('matchesPattern', () => {
  it.each(verdicts)('takes %s, which matches %j and does not match %j', (pattern, matching, other) => {
    expect(patternProblem(pattern)).toBeUndefined();
    for (const text of matching)
      expect({ text, matches: matchesPattern(pattern, text) }).toEqual({ text, matches: true });
    for (const text of other)
      expect({ text, matches: matchesPattern(pattern, text) }).toEqual({ text, matches: false });
  });

  it('says nothing for an expression that is not accepted', () => {
    expect(matchesPattern('(a)\\1', 'aa')).toBeUndefined();
    expect(stepsOf('(a)\\1')).toBe(0);
  });

  it.each([
    '(?:a?){20}b',
    `${'a?'.repeat(20)}b`,
    '(a?){22}b',
    '(a?){25}b',
    '(?:a{0,9}){0,7}b',
    '(a+)+$',
    '^(a+)+b',
    '((a+))*b',
    '(a?)*b',
    '(a|a)*$',
    '(a|aa)+b',
    '((a|b)c|a)+b',
    '(.*a){12}b',
    '.*.*.*=',
    '^(.*)(.*)(.*)=',
    'a.*b',
    '\\w+\\s*\\w+\\s*\\w+=',
    '(x+x+)+y',
    '([a-zA-Z]+)*b',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ])('passes over 4096 characters once with %s', (pattern) => {
    const automaton = createAutomaton(readPattern(pattern));
    for (const text of ['a'.repeat(4096), 'ab'.repeat(2048), 'x'.repeat(4096), `${'a'.repeat(4095)}!`]) {
      const { steps } = search(automaton, text);
      expect(steps).toBeLessThanOrEqual(text.length * stepsOf(pattern));
      // What was found out of one character holds for all that are like it.
      expect(steps).toBeLessThanOrEqual(text.length * 2);
    }
  });

  it('takes no more steps for each character than it says, where no text is like another', () => {
    const pattern = 'a[ab]{240}c';
    let random = 1;
    const bit = (): number => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return random >>> 31;
    };
    const text = Array.from({ length: 4096 }, () => 'ab'[bit()]).join('');
    const { steps, isMatch } = search(createAutomaton(readPattern(pattern)), text);
    expect(isMatch).toBe(false);
    expect(steps).toBeGreaterThan(text.length * 40);
    expect(steps).toBeLessThanOrEqual(text.length * stepsOf(pattern));
    expect(stepsOf(pattern)).toBeLessThanOrEqual(80);
  });

  it('looks over a text once, however often it is asked about it', () => {
    const text = 'abaaabbbababa'.repeat(300);
    const asked = (): boolean[] => Array.from({ length: 20_000 }, () => matchesPattern('a[ab]{200}c', text) === false);
    // Each look would take half a millisecond or more.
    expect(computingMs(() => expect(new Set(asked())).toEqual(new Set([true])))).toBeLessThan(2_000);
  });

  it('says the same of a text again, when others have filled what it keeps', () => {
    const pattern = '[ab]*a[ab]{9}c';
    const texts = Array.from(
      { length: 1024 },
      (_, i) => i.toString(2).padStart(11, '0').replaceAll('0', 'a').replaceAll('1', 'b') + (i % 2 ? 'c' : 'd'),
    );
    const native = new RegExp(pattern, 'u');
    for (const text of [...texts, ...texts]) expect(matchesPattern(pattern, text)).toBe(native.test(text));
  });
});

describe('patternProblem', () => {
  it.each([
    ['(a)\\1', 'has a back-reference: compare with a fixed text instead'],
    ['(?<n>a)\\k<n>', 'has a back-reference'],
    ['(?=a)b', 'looks ahead or behind: write what is to match itself'],
    ['(?!a)b', 'looks ahead or behind'],
    ['(?<=a)b', 'looks ahead or behind'],
    ['(?<!a)b', 'looks ahead or behind'],
    ['(?>a)', 'has an atomic group (?>…): write (?:…)'],
    ['a++', 'has a possessive repetition such as a*+: write a*'],
    ['(?P<n>a)', 'names a group as Python does: write (…) without a name'],
    ['(?#note)a', 'has a comment (?#…): remove it'],
    ['(a)?(?(1)b|c)', 'has a conditional group (?(…)…): write the alternatives (…|…)'],
    ['(?m)^a', 'sets the flag m: write (?:^|\\n) for the beginning of a line, (?:$|\\n) for its end'],
    ['a(?i)b', 'sets a flag that is not known, or not for the whole: write (?i) at the beginning'],
    ['(?i:a)b', 'write (?i) at the beginning'],
    ['(?x)a', 'sets a flag that is not known'],
    ['\\Aa', 'has \\A: write ^'],
    ['a\\z', 'has \\z: write $'],
    ['\\Qa.b\\E', 'quotes with \\Q…\\E: write a backslash before each special character'],
    ['[[:alpha:]]', 'has a POSIX class such as [:alpha:]: write a-z, or \\p{L}'],
    ['\\p{Nonsense}', 'has \\p{Nonsense}, which is no property of characters: write e.g. \\p{L} or \\p{Lu}'],
    ['(?<n>a)(?<n>b)', 'is not a regular expression: character 13 follows a second group n: leave its name out'],
    ['(', 'is not a regular expression: character 2 ought to be a ): a group is not closed'],
    [')', 'is not a regular expression: character 1 closes a group that was not opened'],
    ['[a', 'is not a regular expression: character 3 ought to be a ]: a class is not closed'],
    ['[z-a]', 'is not a regular expression: character 5 ends a range that runs backwards: swap its ends'],
    ['[\\d-z]', 'is not a regular expression: character 6 ends a range that has a class at one end: write \\- for the'],
    ['*', 'is not a regular expression: character 1 repeats nothing: write a backslash before it for the character'],
    ['a**', 'is not a regular expression: character 3 repeats what is repeated already: write (?:…) around it'],
    ['^*', 'is not a regular expression: character 2 repeats a place between characters: leave it out'],
    ['a{2', 'is not a regular expression: character 2 repeats'],
    ['a{3,2}', 'is not a regular expression: character 7 follows a repetition {m,n} with m above n: swap them'],
    ['a]', 'is not a regular expression: character 2 stands alone: write a backslash before it for the character'],
    ['\\y', 'is not a regular expression: character 1 begins an escape that means nothing: leave the backslash out'],
    ['a\\', 'is not a regular expression: character 2 begins an escape that means nothing'],
    ['(?', 'is not a regular expression: character 2 begins a group of an unknown kind: write (…) or (?:…)'],
    ['a'.repeat(257), 'has 257 characters, 256 are the limit'],
    ['a{1,300}', 'has 300 characters with its repetitions written out, 256 are the limit: write + or *'],
    ['((a{9}){9}){9}', 'has 729 characters with its repetitions written out, 256 are the limit'],
    ['((a{9999}){9999}){9999}', 'characters with its repetitions written out, 256 are the limit'],
    [`(?:a${'(?:)'.repeat(40)}){99}`, 'parts with its repetitions written out, 2048 are the limit'],
    ['(a?){200}b', 'steps for each character of a text, 80 are the limit: write + or * in place of large numbers'],
    [
      ['L', 'M', 'N', 'P', 'S', 'Z', 'C', 'Lu', 'Ll', 'Nd'].map((of) => `\\p{${of}}`).join(''),
      'steps for each character of a text, 80 are the limit',
    ],
  ])('refuses %s', (pattern, words) => {
    expect(patternProblem(pattern)).toContain(words);
  });
});
