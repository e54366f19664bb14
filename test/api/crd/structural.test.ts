import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { JsonRecord, JsonValue } from '../../../src/api/common/json-value.ts';
import { structuralOf } from '../../../src/api/crd/structural.ts';

const Action = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('call').describe('call sends a request.'),
    parameters: z.strictObject({
      url: z.string().max(10).describe('Where to. Any URL.'),
      method: z.enum(['GET', 'POST']).default('POST').describe('How.'),
      limit: z.int().min(1).max(5).describe('Seconds.'),
      body: JsonValue,
    }),
    for: z.strictObject({ a: z.string().max(5) }).optional(),
  }),
  z.strictObject({
    action: z.literal('wait').describe('wait does nothing.'),
    parameters: z.strictObject({ limit: z.int().min(0).max(9).describe('Minutes.') }).prefault({ limit: 1 }),
    for: z.strictObject({ a: z.string().max(5) }).optional(),
  }),
]);

describe('structuralOf', () => {
  it('drops the bounds that zod puts on every integer, and keeps those that are meant', () => {
    expect(structuralOf(z.int())).toEqual({ type: 'integer' });
    expect(structuralOf(z.int().min(1).max(5))).toEqual({ type: 'integer', minimum: 1, maximum: 5 });
  });

  it('keeps any JSON in an untyped value, null included', () => {
    expect(structuralOf(JsonValue.describe('Any.'))).toEqual({
      description: 'Any.',
      nullable: true,
      'x-kubernetes-preserve-unknown-fields': true,
    });
  });

  it('keeps what a map of any JSON holds', () => {
    expect(structuralOf(JsonRecord)).toEqual({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  });

  it('leaves closed objects to pruning', () => {
    expect(structuralOf(z.strictObject({ a: z.string().optional() }))).toEqual({
      type: 'object',
      properties: { a: { type: 'string' } },
    });
  });

  it('writes a number or a name as Kubernetes does', () => {
    const port = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true, maxLength: 15 });
    expect(structuralOf(port)).toEqual({
      'x-kubernetes-int-or-string': true,
      maxLength: 15,
      anyOf: [{ type: 'integer' }, { type: 'string' }],
    });
  });

  it('keeps defaults outside of unions', () => {
    expect(structuralOf(z.string().default('/graphql'))).toEqual({ type: 'string', default: '/graphql' });
  });

  it('carries CEL rules and list types through', () => {
    const meta = { 'x-kubernetes-validations': [{ rule: 'true' }], 'x-kubernetes-list-type': 'set' };
    expect(structuralOf(z.array(z.string()).meta(meta))).toEqual({ type: 'array', items: { type: 'string' }, ...meta });
  });

  it('refuses a union whose members nothing tells apart', () => {
    const union = z.discriminatedUnion('a', [z.object({ a: z.enum(['x', 'y']) }), z.object({ a: z.enum(['z']) })]);
    expect(() => structuralOf(union)).toThrow(TypeError);
  });
});

describe('a hoisted union', () => {
  const hoisted = structuralOf(Action);
  const { parameters } = hoisted.properties ?? {};
  const rules = hoisted['x-kubernetes-validations'] ?? [];

  it('has the words of all members, each with its description', () => {
    expect(hoisted.properties?.['action']).toEqual({
      type: 'string',
      enum: ['call', 'wait'],
      description: 'call sends a request.\nwait does nothing.',
    });
  });

  it('requires only what all members require', () => {
    expect(hoisted.required).toEqual(['action']);
    expect(parameters?.required).toEqual(['limit']);
  });

  it('has no defaults: the API server would give them to members that know no such field', () => {
    expect(JSON.stringify(hoisted)).not.toContain('"default"');
  });

  it('takes the widest limits, and says whose description is whose', () => {
    expect(parameters?.properties?.['limit']).toEqual({
      type: 'integer',
      minimum: 0,
      maximum: 9,
      description: 'call: Seconds.\nwait: Minutes.',
    });
  });

  it('keeps a field that is the same in all members as it is', () => {
    expect(hoisted.properties?.['for']).toEqual({
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'string', maxLength: 5 } },
    });
  });

  it('requires the parameters of a member by CEL, but for those that CEL cannot see', () => {
    const required = rules.filter(({ reason }) => reason === 'FieldValueRequired');
    expect(required.map(({ fieldPath }) => fieldPath)).toEqual([
      '.parameters.url',
      '.parameters.limit',
      '.parameters.limit',
    ]);
    expect(required[0]).toMatchObject({
      rule: "self.action != 'call' || (has(self.parameters) && has(self.parameters.url))",
      message: 'call needs parameters.url: Where to',
    });
  });

  it('requires what CEL cannot see by a condition on values', () => {
    expect(hoisted.allOf).toEqual([
      {
        anyOf: [
          { required: ['parameters'], properties: { parameters: { required: ['body'] } } },
          { not: { properties: { action: { enum: ['call'] } } } },
        ],
      },
    ]);
  });

  it('refuses the parameters of another member by CEL', () => {
    expect(rules.filter(({ reason }) => reason === 'FieldValueForbidden')).toEqual([
      expect.objectContaining({
        rule: "self.action != 'wait' || !has(self.parameters) || !(has(self.parameters.url) || has(self.parameters.method))",
        message: 'wait takes only the parameters limit: remove the others',
      }),
    ]);
  });
});
