import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unknownPaths } from '../../../src/clients/graphql/unknown-paths.ts';
import { pathsOverlap } from '../../../src/domain/path.ts';

const step = fc.oneof(fc.constantFrom('a', 'b', 'a.b', 'c d', ''), fc.nat({ max: 3 }));
const place = fc.array(step, { maxLength: 4 });

describe('the paths of unknown parts', () => {
  it('are at most a hundred, do not depend on the order, and none lies in another one', () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 300 }), (places) => {
        const paths = unknownPaths(places);
        expect(paths.length).toBeLessThanOrEqual(100);
        expect(unknownPaths(places.toReversed())).toEqual(paths);
        for (const path of paths)
          for (const other of paths) expect(path !== other && other !== '' && path.startsWith(`${other}.`)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('cover every part that is unknown', () => {
    const named = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(named, { minLength: 1, maxLength: 400 }), (places) => {
        const paths = unknownPaths(places);
        for (const at of places)
          expect(paths.some((path) => path === '' || pathsOverlap(path, at.join('.')))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
