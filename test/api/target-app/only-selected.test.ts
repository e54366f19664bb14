import { expect, it } from '@jest/globals';
import { onlySelected } from '../../../src/api/target-app/only-selected.ts';
import { checkQuery } from '../../../src/api/target-app/query.ts';
import type { Json } from '../../../src/domain/json.ts';
import { computingMs } from '../../support/computing.ts';

const answered = (query: string, answer: Json): Json => {
  const checked = checkQuery(query);
  if ('problem' in checked) throw new Error(checked.problem);
  return onlySelected(answer, checked.selected);
};

it.each<[string, string, Json, Json]>([
  ['a field that was not asked for', '{ a { b } }', { a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 } }],
  ['a field of an element of a list', '{ a { b } }', { a: [{ b: 1, c: 2 }, null] }, { a: [{ b: 1 }, null] }],
  ['what has an alias under its own name', '{ x: a }', { a: 1, x: 2 }, { x: 2 }],
  ['nothing of a field that may be any JSON', '{ a }', { a: { b: [{ c: 1 }] } }, { a: { b: [{ c: 1 }] } }],
  [
    'nothing of a null or of text in the place of an object',
    '{ a { b } c { d } }',
    { a: null, c: 'x' },
    { a: null, c: 'x' },
  ],
  [
    'nothing behind fragments',
    '{ ...F } fragment F on Query { a { ... on A { b } } }',
    { a: { b: 1 } },
    { a: { b: 1 } },
  ],
  ['what objects inherit', '{ toString a }', { a: 1 }, { a: 1 }],
])('leaves out %s', (_, query, answer, kept) => {
  expect(answered(query, answer)).toEqual(kept);
});

it('keeps the order of the query, from whichever side it looks', () => {
  const names = (answer: Json) => Object.keys(answered('{ a b c }', answer) as object);
  expect(names({ c: 1, b: 1, a: 1, x: 1 })).toEqual(['a', 'b', 'c']);
  expect(names({ c: 1, a: 1 })).toEqual(['a', 'c']);
});

it('looks at what there is, not once more at all that was asked for in each element of a list', () => {
  const query = `{ a { ${Array.from({ length: 4_000 }, (_, i) => `f${i}`).join(' ')} } }`;
  const answer = { a: Array.from({ length: 100_000 }, (_, i) => ({ [`f${i % 4_000}`]: 1 })) };
  expect(computingMs(() => answered(query, answer))).toBeLessThan(2_000);
});
