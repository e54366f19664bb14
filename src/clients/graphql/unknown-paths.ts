import { pathTo } from '../../domain/path.ts';
import type { JsonPlace } from '../http/safe-json.ts';

/** More unknown parts than this are not told one by one. */
const maxPaths = 100;

const isBelow = (path: string, above: string): boolean =>
  above === '' || path.startsWith(`${above}.`) || path.startsWith(`${above}[`);

/**
 * The paths of the parts that are unknown: each once, in an order that does not depend on that of the errors, and none
 * that lies in another one. Of too many the objects and lists that they are in; `''` is all of it.
 */
export const unknownPaths = (places: readonly JsonPlace[]): string[] => {
  let deepest = Math.max(0, ...places.map(({ length }) => length));
  let paths = new Set(places.map(pathTo));
  while (paths.size > maxPaths) {
    deepest -= 1;
    paths = new Set(places.map((place) => pathTo(place.slice(0, deepest))));
  }
  const all = [...paths];
  return all.filter((path) => !all.some((above) => above !== path && isBelow(path, above))).sort();
};
