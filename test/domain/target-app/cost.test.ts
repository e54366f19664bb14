import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changesBetween, comparable, equal, scalarsOf } from '../../../src/domain/diff.ts';
import type { Json } from '../../../src/domain/json.ts';
import { overlapsAny } from '../../../src/domain/path.ts';
import { applyObservation } from '../../../src/domain/target-app/apply-observation.ts';
import { newMemory } from '../../../src/domain/target-app/memory.ts';
import { conditions, type Verdict } from '../../../src/domain/target-app/trigger-conditions.ts';
import { renderTemplates } from '../../../src/domain/template.ts';
import { hasPart } from '../../../src/domain/text-search.ts';
import { computingMs } from '../../support/computing.ts';
import { aPlan, reading, says } from '../../support/domain.ts';
import { runs } from '../../support/fuzz-runs.ts';

/** What grows with a product of two lengths takes this several times over; what grows with a sum takes some hundredths. */
const maxMs = 1_000;

const many = <T>(length: number, of: (i: number) => T): T[] => Array.from({ length }, (_, i) => of(i));
function level(name: 'contains' | 'equals' | 'in', found: Json[], expected: Json): Verdict {
  const condition = conditions[name];
  if (condition.kind !== 'level') throw new TypeError(`${name} is not about one state`);
  return condition.holds(found, expected);
}

const elements = many(10_000, (i) => `s${i}`);
const large = Object.fromEntries(many(50_000, (i) => [`k${i}`, i]));
/** A state with one key as long as an answer may be, and as many values below it. */
const longKeyed = (value: Json): Json => ({
  data: { ['k'.repeat(400_000)]: Object.fromEntries(many(9_900, (i) => [`k${i}`, i === 5 ? value : i])) },
});
const items = (value: Json): Json => ({ items: many(3_300, (i) => ({ a: i === 7 ? value : i, b: i })) });
const [one, other] = [items(1), items(2)];
const ignored = many(64, (i) => `items.${'z'.repeat(240)}${i}`);

describe('what an app or a user says costs no more than it is long', () => {
  it.each<[string, () => unknown]>([
    [
      'a long list to be in',
      () =>
        level(
          'in',
          elements,
          many(50_000, (i) => `t${i}`),
        ),
    ],
    [
      'a long list of objects to be in',
      () =>
        level(
          'in',
          many(10_000, (i) => ({ a: i })),
          many(10_000, (i) => ({ b: i })),
        ),
    ],
    [
      'a large object to be equal to',
      () =>
        level(
          'equals',
          many(10_000, () => ({})),
          large,
        ),
    ],
    ['a list that has no such object', () => level('contains', [many(10_000, () => ({}))], large)],
    [
      'a long part of a long text',
      () => level('contains', ['a'.repeat(700_000)], `${'a'.repeat(20_000)}b${'a'.repeat(20_000)}`),
    ],
    ['another long part', () => level('contains', ['ab'.repeat(350_000)], `aab${'ab'.repeat(20_000)}`)],
    ['a change below a long key', () => changesBetween(longKeyed(1), longKeyed(2), ['zz'])],
    ['what is ignored beside a long key', () => comparable(longKeyed(1), ['data.zz'], [])],
    ['values below a long key in the status', () => scalarsOf(longKeyed(1), ['zz'], 10_000)],
    ['many ignored fields', () => many(20, () => [comparable(one, ignored, []), changesBetween(one, other, ignored)])],
    [
      'what is not known below a long key',
      () => {
        const plan = aPlan();
        const unknown = many(100, (i) => `x${i}`);
        const told = { matched: 1, plan, readings: [reading('a', says(longKeyed(1), unknown), plan)] };
        return applyObservation(applyObservation(newMemory(), told, 0).memory, told, 1);
      },
    ],
    [
      'many unknown paths of many pods',
      () => {
        const unknown = many(300, (pod) => many(100, (i) => `items[${i}].s${pod}`));
        return many(32, () => unknown.filter((paths) => overlapsAny('application.health', paths)));
      },
    ],
    [
      'a large value in many templates',
      () => renderTemplates('{{new_value}}'.repeat(100_000), { new_value: elements }),
    ],
  ])('%s', (_, work) => {
    expect(computingMs(work)).toBeLessThan(maxMs);
  });
});

describe('a part of a text', () => {
  it('is found where JavaScript finds it', () => {
    const text = (maxLength: number) =>
      fc.array(fc.constantFrom('a', 'a', 'b', '\ud83d', '\ude00'), { maxLength }).map((all) => all.join(''));
    fc.assert(
      fc.property(text(200), text(90), fc.nat(), fc.nat(), (of, other, from, length) => {
        const inside = of.slice(from % (of.length + 1)).slice(0, length % 150);
        for (const part of [inside, inside + other, other]) expect(hasPart(of, part)).toBe(of.includes(part));
      }),
      runs(500),
    );
  });
});

describe('a list to be in', () => {
  const value = fc.oneof(
    fc.constantFrom<Json[]>(null, 0, -0, 1, '1', '', 'a', true, false),
    fc.constantFrom<Json[]>({}, { a: 1, b: [2] }, { b: [2], a: 1 }, [], [1], ['1'], [null], { a: null }, { '{"a': 1 }),
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
  );

  it('has a value where one of its elements is equal to it', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), value, (list, found) => {
        const isThere = list.some((item) => equal(item, found));
        const isLike = list.some((item) => item === null || found === null || typeof item === typeof found);
        expect(level('in', [found], list)).toBe(isThere || (list.length > 0 && !isLike ? 'mismatch' : false));
      }),
      runs(500),
    );
  });
});
