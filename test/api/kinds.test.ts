import { describe, expect, it } from '@jest/globals';
import { crdFiles } from '../../dev/generate-crds.ts';
import { stale } from '../../dev/write-or-check.ts';
import { crdOf } from '../../src/api/crd/crd.ts';
import type { Structural } from '../../src/api/crd/structural-schema.ts';
import { type KindName, kinds } from '../../src/api/kinds.ts';

const names = Object.keys(kinds) as KindName[];

/** Every schema in a schema, with the path that leads to it. */
const walk = (schema: Structural, path: string): [string, Structural][] => [
  [path, schema],
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => walk(child, `${path}.${name}`)),
  ...(schema.items ? walk(schema.items, `${path}[]`) : []),
  ...(schema.additionalProperties ? walk(schema.additionalProperties, `${path}{}`) : []),
];

const schemasOf = (name: KindName) => {
  const { spec, status } = crdOf(kinds[name]).spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
  return { spec: walk(spec ?? {}, 'spec'), status: walk(status ?? {}, 'status') };
};

describe('crds/', () => {
  it('holds what the schemas say; node dev/generate-crds.ts writes it anew', () => {
    expect(stale(crdFiles())).toEqual([]);
  });
});

describe.each(names)('%s', (name) => {
  const { spec, status } = schemasOf(name);

  it('describes every field', () => {
    const silent = [...spec, ...status].filter(([path, { description }]) => !description && /\.\w+$/.test(path));
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  it('bounds every list and every text of its spec, since CEL rules are refused where there is no bound', () => {
    const unbounded = spec.filter(
      ([, { type, maxLength, maxItems, enum: words }]) =>
        (type === 'string' && maxLength === undefined && words === undefined) ||
        (type === 'array' && maxItems === undefined),
    );
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  it('has defaults at the top of its spec only', () => {
    const paths = spec.filter(([, { default: value }]) => value !== undefined).map(([path]) => path);
    expect(paths.filter((path) => path.split('.').length > 2)).toEqual([]);
  });

  it('words every refusal', () => {
    const rules = spec.flatMap(([, schema]) => schema['x-kubernetes-validations'] ?? []);
    expect(rules.filter(({ message }) => !message)).toEqual([]);
  });
});
