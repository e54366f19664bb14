import type { CelRule } from '../common/cel.ts';

/** A condition on values beside the structure: the only place where OpenAPI's logic is allowed. */
export interface ValueValidation {
  type?: string;
  enum?: string[];
  required?: string[];
  properties?: Record<string, ValueValidation>;
  anyOf?: ValueValidation[];
  not?: ValueValidation;
}

/** A structural OpenAPI v3 schema, as a CustomResourceDefinition carries it: the part of JSON Schema that KCO uses. */
export interface Structural {
  type?: string;
  description?: string;
  format?: string;
  nullable?: boolean;
  default?: unknown;
  enum?: string[];
  required?: string[];
  properties?: Record<string, Structural>;
  additionalProperties?: Structural;
  items?: Structural;
  allOf?: ValueValidation[];
  anyOf?: ValueValidation[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-validations'?: CelRule[];
}
