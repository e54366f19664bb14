import { z } from 'zod';
import type { Structural } from './structural-schema.ts';
import { hoist } from './union.ts';

/** What zod makes of a schema: a structural schema with unions, and objects that say whether they are closed. */
interface Draft extends Omit<Structural, 'properties' | 'additionalProperties' | 'items'> {
  properties?: Record<string, Draft>;
  additionalProperties?: Draft | boolean;
  items?: Draft;
  oneOf?: Draft[];
}

const kept = [
  'description',
  'type',
  'format',
  'nullable',
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'anyOf',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const satisfies (keyof Draft)[];

/** `z.int()` bounds every integer by what a double can hold; that is no limit anybody meant. */
const isMeant = (value: unknown): boolean => value !== undefined && Math.abs(Number(value)) !== Number.MAX_SAFE_INTEGER;

const keywordsOf = (draft: Draft): Structural =>
  Object.fromEntries(kept.filter((key) => isMeant(draft[key])).map((key) => [key, draft[key]]));

const isUntyped = (draft: Draft | boolean | undefined): boolean =>
  draft === true || (typeof draft === 'object' && draft.type === undefined && !draft.anyOf && !draft.oneOf);

const fromProperties = (properties: Record<string, Draft> = {}): Pick<Structural, 'properties'> =>
  Object.keys(properties).length === 0
    ? {}
    : { properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, convert(value)])) };

/** A map: of any values, which then are kept as they are, or of values of one kind. */
const fromAdditional = (additional: Draft | boolean | undefined): Structural => {
  if (isUntyped(additional)) return { 'x-kubernetes-preserve-unknown-fields': true };
  return typeof additional === 'object' ? { additionalProperties: convert(additional) } : {};
};

const intOrString = (draft: Draft): Structural => ({
  ...keywordsOf(draft),
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
});

function convert(draft: Draft): Structural {
  if (draft['x-kubernetes-int-or-string']) return intOrString(draft);
  if (draft.oneOf) return hoist(keywordsOf(draft), draft.oneOf.map(convert));
  if (isUntyped(draft)) return { ...keywordsOf(draft), nullable: true, 'x-kubernetes-preserve-unknown-fields': true };
  return {
    ...keywordsOf(draft),
    ...(draft.items ? { items: convert(draft.items) } : {}),
    ...fromProperties(draft.properties),
    ...fromAdditional(draft.additionalProperties),
  };
}

/**
 * The structural schema of a zod schema. Unions are hoisted (see `hoist`), closed objects are left to pruning, an untyped
 * value keeps whatever it holds, null included. Refinements do not get here: they need a CEL rule beside them.
 */
export const structuralOf = (schema: z.ZodType): Structural =>
  convert(
    z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', unrepresentable: 'any', reused: 'inline' }) as Draft,
  );
