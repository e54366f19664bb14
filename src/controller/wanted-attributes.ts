import { searchAttributes } from '../workflows/search-attributes.ts';

const indexedTypes = { BOOL: 5, KEYWORD: 2 } as const;
/** KCO's search attributes. */
export const wanted = Object.values(searchAttributes).map(({ name, type }) => ({
  name,
  type: indexedTypes[type as keyof typeof indexedTypes],
}));
export type Wanted = (typeof wanted)[number];

const typeName = (type: number): string => (type === indexedTypes.BOOL ? 'Bool' : 'Keyword');
const namesOf = (attributes: Wanted[]): string => attributes.map(({ name }) => name).join(', ');

/** What is missing, why, and what a person can do about it. */
export function troubleOf(
  namespace: string,
  missing: Record<'alien' | 'forbidden' | 'full', Wanted[]>,
): string | undefined {
  const { alien, forbidden, full } = missing;
  const where = `in the Temporal namespace ${namespace}`;
  const flags = forbidden.map(({ name, type }) => `--name ${name} --type ${typeName(type)}`).join(' ');
  const sentences = [
    ...(full.length === 0
      ? []
      : [
          `there is no room ${where} for the search attributes ${namesOf(full)}: remove some that nobody needs (temporal operator search-attribute remove -n ${namespace} --name <name>), or give KCO a namespace of its own (KCO_TEMPORAL_NAMESPACE)`,
        ]),
    ...(forbidden.length === 0
      ? []
      : [
          `KCO may not register search attributes ${where}: temporal operator search-attribute create -n ${namespace} ${flags}`,
        ]),
    ...alien.map(({ name, type }) => `the search attribute ${name} ${where} is not of the type ${typeName(type)}`),
  ];
  if (sentences.length === 0) return undefined;
  return `${sentences.join('; ')}. Until then workflows cannot be found by ${namesOf([...full, ...forbidden, ...alien])}; all else works`;
}
