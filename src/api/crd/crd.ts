import type { z } from 'zod';
import { structuralOf } from './structural.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  name: string;
  type: 'boolean' | 'date' | 'integer' | 'number' | 'string';
  jsonPath: string;
  description?: string;
  /** 1: with `-o wide` only. */
  priority?: number;
}

/** A namespaced type whose objects a kind makes: each has an owner, and is gone with it. */
export interface OwnedType {
  apiVersion: string;
  kind: string;
  plural: string;
}

/** What a kind says of itself: everything that its CustomResourceDefinition is made of, and how the operator serves it. */
export interface Kind {
  group: string;
  version: string;
  scope: 'Cluster' | 'Namespaced';
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  columns: readonly PrinterColumn[];
  /** How log lines and metrics call one of its objects; absent: by its singular name. */
  column?: string;
  /** What its objects own; absent: nothing. */
  owns?: readonly OwnedType[];
  /** The whole object, with `spec` and `status`. */
  schema: z.ZodObject<{ spec: z.ZodType; status: z.ZodType }>;
}

const namesOf = ({ kind, plural, singular, shortNames, categories }: Kind) => ({
  kind,
  listKind: `${kind}List`,
  plural,
  singular,
  shortNames: [...shortNames],
  categories: [...categories],
});

const rootSchemaOf = ({ schema }: Kind) => ({
  type: 'object',
  description: schema.description ?? '',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string', description: 'Version of the schema that this object is written in.' },
    kind: { type: 'string', description: 'Kind of this object.' },
    metadata: { type: 'object' },
    spec: structuralOf(schema.shape.spec),
    status: structuralOf(schema.shape.status),
  },
});

/** The CustomResourceDefinition of a kind: one version, with a status subresource. */
export const crdOf = (kind: Kind) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${kind.plural}.${kind.group}` },
  spec: {
    group: kind.group,
    names: namesOf(kind),
    scope: kind.scope,
    versions: [
      {
        name: kind.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [...kind.columns],
        schema: { openAPIV3Schema: rootSchemaOf(kind) },
      },
    ],
  },
});
