import { type CelRule, celField, celString } from '../common/cel.ts';
import type { Structural, ValueValidation } from './structural-schema.ts';
import { having, isSame, type Member } from './union-member.ts';

/** CEL cannot see a value without a type; what is said about such a field is said later, in status. */
const isVisible = (schema: Structural | undefined): boolean =>
  schema !== undefined && !(schema.type === undefined && schema['x-kubernetes-preserve-unknown-fields']);

const firstSentence = (text = ''): string => text.split(/[.:;](?:\s|$)/)[0] ?? '';

function missingRules(discriminator: string, { word, schema }: Member, name: string): CelRule[] {
  const { properties = {}, required = [] } = schema.properties?.[name] ?? {};
  const at = `self.${celField(name)}`;
  return required
    .filter((child) => isVisible(properties[child]))
    .map((child) => ({
      rule: `self.${celField(discriminator)} != ${celString(word)} || (has(${at}) && has(${at}.${celField(child)}))`,
      message: `${word} needs ${name}.${child}: ${firstSentence(properties[child]?.description)}`,
      reason: 'FieldValueRequired',
      fieldPath: `.${name}.${child}`,
    }));
}

/** The same for what CEL cannot see; the API server then says `Required value` without a sentence. */
const missingValues = (discriminator: string, { word, schema }: Member, name: string): ValueValidation[] => {
  const { properties = {}, required = [] } = schema.properties?.[name] ?? {};
  return required
    .filter((child) => !isVisible(properties[child]))
    .map((child) => ({
      anyOf: [
        { required: [name], properties: { [name]: { required: [child] } } },
        { not: { properties: { [discriminator]: { enum: [word] } } } },
      ],
    }));
};

function extraRules(discriminator: string, { word, schema }: Member, name: string, all: Structural): CelRule[] {
  const own = Object.keys(schema.properties?.[name]?.properties ?? {});
  const foreign = Object.keys(all.properties ?? {}).filter(
    (child) => !own.includes(child) && isVisible(all.properties?.[child]),
  );
  const at = `self.${celField(name)}`;
  const isNot = `self.${celField(discriminator)} != ${celString(word)}`;
  const takes = `${word} takes only the ${name} ${own.toSorted().join(', ')}`;
  // The first one that is there. Lists of all of them, joined, would cost more than the API server allows.
  const found = foreign.reduceRight(
    (rest, child) => `has(${at}.${celField(child)}) ? ${celString(child)} : ${rest}`,
    "''",
  );
  return foreign.length === 0
    ? []
    : [
        {
          rule: `${isNot} || !has(${at}) || !(${foreign.map((child) => `has(${at}.${celField(child)})`).join(' || ')})`,
          message: `${takes}: remove the others`,
          messageExpression: `${celString(`${takes}: remove `)} + (${found})`,
          reason: 'FieldValueForbidden',
          fieldPath: `.${name}`,
        },
      ];
}

/** What gives back that hoisting lost: which fields each member needs in its objects, and which it refuses. */
export function memberRules(discriminator: string, members: Member[], properties: Record<string, Structural>) {
  const differing = Object.entries(properties)
    .filter(([, { type }]) => type === 'object')
    .filter(([name]) => !isSame(having(members, name).map(({ schema }) => schema)));
  const each = differing.flatMap(([name, all]) => members.map((member) => ({ name, all, member })));
  return {
    rules: each.flatMap(({ name, all, member }) => [
      ...missingRules(discriminator, member, name),
      ...extraRules(discriminator, member, name, all),
    ]),
    allOf: each.flatMap(({ name, member }) => missingValues(discriminator, member, name)),
  };
}
