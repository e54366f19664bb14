import type { Structural } from './structural-schema.ts';

/** One member of a union, with the word that tells it from the others. */
export interface Member {
  word: string;
  schema: Structural;
}

/** Whether all of them are the same JSON. */
export const isSame = (values: unknown[]): boolean => new Set(values.map((value) => JSON.stringify(value))).size === 1;

/** A property as the members that have it have it. */
export const having = (members: Member[], name: string): Member[] =>
  members.flatMap(({ word, schema }) => {
    const found = schema.properties?.[name];
    return found === undefined ? [] : [{ word, schema: found }];
  });
