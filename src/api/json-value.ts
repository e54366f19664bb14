import { z } from 'zod';
import type { Json } from '../domain/json.ts';

/** Any JSON value, null included. Untyped in the CRD, so CEL rules cannot see it: what must be checked is checked in planOf. */
export const JsonValue = z.custom<Json>((value) => value !== undefined, 'is required');
export type JsonValue = Json;

/** A JSON object with any content. */
export const JsonRecord = z.record(z.string(), JsonValue);
export type JsonRecord = z.infer<typeof JsonRecord>;
