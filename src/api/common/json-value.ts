import { z } from 'zod';
import type { Json } from '../../domain/json.ts';

/** Nested deeper than this no value is meant; some thousand levels would end whatever follows them down by calling itself. */
const maxDepth = 64;

const isWithin = (depth: number, value: Json): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((item) => isWithin(depth - 1, item)));

/** Any JSON value, null included. Untyped in the CRD, so CEL rules cannot see it: what must be checked is checked in planOf. */
export const JsonValue = z
  .custom<Json>((value) => value !== undefined, { error: 'is required', abort: true })
  .refine((value) => isWithin(maxDepth, value), {
    error: `is nested deeper than ${maxDepth} levels, which are the limit`,
  });
export type JsonValue = Json;

/** A JSON object with any content. */
export const JsonRecord = z.record(z.string(), JsonValue);
export type JsonRecord = z.infer<typeof JsonRecord>;
