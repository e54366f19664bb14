import type { Structural } from './structural-schema.ts';
import { having, isSame, type Member } from './union-member.ts';
import { memberRules } from './union-rules.ts';

const smallest = (values: number[]): number => Math.min(...values);
const largest = (values: number[]): number => Math.max(...values);

/** Limits of what is hoisted: the widest, and none where a member has none. */
const limits = {
  minimum: smallest,
  minItems: smallest,
  minLength: smallest,
  minProperties: smallest,
  maximum: largest,
  maxItems: largest,
  maxLength: largest,
  maxProperties: largest,
} as const;

/** The values of a keyword when every member has one, else none. */
function common<Key extends keyof Structural>(members: Member[], key: Key): NonNullable<Structural[Key]>[] {
  const values = members.flatMap(({ schema }) => schema[key] ?? []);
  return members.every(({ schema }) => schema[key] !== undefined) ? (values as NonNullable<Structural[Key]>[]) : [];
}

const mergedLimits = (members: Member[]): Structural =>
  Object.fromEntries(
    Object.entries(limits).flatMap(([key, choose]) => {
      const values = common(members, key as keyof typeof limits);
      return values.length === 0 ? [] : [[key, choose(values)]];
    }),
  );

/** Descriptions side by side: each with the words it is for, unless it is for all. */
function describe(members: Member[], isForAll: boolean): string | undefined {
  const byText = Map.groupBy(members, ({ schema }) => schema.description ?? '');
  byText.delete('');
  if (isForAll && byText.size === 1) return [...byText.keys()][0];
  const lines = [...byText].map(([text, group]) => `${group.map(({ word }) => word).join(', ')}: ${text}`);
  return lines.length === 0 ? undefined : lines.join('\n');
}

const namesOf = (members: Member[]): string[] => [
  ...new Set(members.flatMap(({ schema }) => Object.keys(schema.properties ?? {}))),
];

function mergedProperties(members: Member[]): Pick<Structural, 'properties' | 'required'> {
  const names = namesOf(members);
  if (names.length === 0) return {};
  const merged = names.map((name) => {
    const found = having(members, name);
    return [name, merge(found, found.length === members.length)] as const;
  });
  const required = names.filter((name) => members.every(({ schema }) => schema.required?.includes(name)));
  return { properties: Object.fromEntries(merged), ...(required.length > 0 ? { required } : {}) };
}

/** A copy without defaults: hoisted, the API server would put them into members that know no such field. */
function withoutDefaults({ default: _, ...schema }: Structural): Structural {
  const { properties, items } = schema;
  const bare = (name: string) => [name, withoutDefaults(properties?.[name] ?? {})];
  return {
    ...schema,
    ...(properties ? { properties: Object.fromEntries(Object.keys(properties).map(bare)) } : {}),
    ...(items ? { items: withoutDefaults(items) } : {}),
  };
}

/** A list of words says how long they are; said here, because the list itself gets lost beside free text. */
function withLength({ word, schema }: Member): Member {
  if (schema.enum === undefined) return { word, schema };
  return { word, schema: { maxLength: Math.max(...schema.enum.map(({ length }) => length)), ...schema } };
}

/** One schema that accepts what any of the members accepts. */
function merge(members: Member[], isForAll: boolean): Structural {
  const schemas = members.map(({ schema }) => schema);
  const description = describe(members, isForAll);
  const described = description === undefined ? {} : { description };
  const [first = {}] = schemas;
  if (isSame(schemas.map(({ description: _, ...rest }) => rest))) return { ...withoutDefaults(first), ...described };
  if (!isSame(schemas.map(({ type }) => type)))
    return { ...described, nullable: true, 'x-kubernetes-preserve-unknown-fields': true };
  const words = new Set(common(members, 'enum').flat());
  return {
    ...described,
    ...(first.type ? { type: first.type } : {}),
    ...(words.size > 0 ? { enum: [...words] } : mergedLimits(members.map(withLength))),
    ...(first.items && isSame(schemas.map(({ items }) => items)) ? { items: withoutDefaults(first.items) } : {}),
    ...mergedProperties(members),
  };
}

/** The property that has one word in each member, and in each another one. */
function discriminatorOf(schemas: Structural[]): string {
  const words = (name: string) => schemas.map(({ properties }) => properties?.[name]?.enum);
  const isOne = (name: string) =>
    words(name).every((word) => word?.length === 1) && new Set(words(name).flat()).size === schemas.length;
  const found = Object.keys(schemas[0]?.properties ?? {}).find(isOne);
  if (found === undefined)
    throw new TypeError('a union in a custom resource needs a field that tells its members apart');
  return found;
}

/**
 * One structural schema for a union of objects, since a CRD knows no unions: the members' fields side by side, with the
 * widest limits, without defaults, and with CEL rules for what each member needs and refuses.
 *
 * @param outer keywords of the union itself
 * @param schemas its members, told apart by one property with one word each
 */
export function hoist(outer: Structural, schemas: Structural[]): Structural {
  const discriminator = discriminatorOf(schemas);
  const members = schemas.map((schema) => ({ word: schema.properties?.[discriminator]?.enum?.[0] ?? '', schema }));
  const { description: _, ...merged } = merge(members, true);
  const lines = members.map(({ schema }) => schema.properties?.[discriminator]?.description ?? '');
  const words = { ...merged.properties?.[discriminator], description: lines.join('\n') };
  const properties = { ...merged.properties, [discriminator]: words };
  const { rules, allOf } = memberRules(discriminator, members, properties);
  const all = [...(outer['x-kubernetes-validations'] ?? []), ...rules];
  return {
    ...merged,
    ...outer,
    properties,
    ...(allOf.length > 0 ? { allOf } : {}),
    ...(all.length > 0 ? { 'x-kubernetes-validations': all } : {}),
  };
}
