import { sanitize } from '../../clients/http/sanitize.ts';
import { isJsonObject, type Json, type JsonObject, own } from '../../domain/json.ts';
import { maxFieldsShown, maxPodsShown } from '../../domain/target-app/status.ts';
import type { ExportedFields, FieldReading } from '../../telemetry/metrics/target-app/exported-fields.ts';

/** The parts of a TargetApp that say what is exported; as the API server has them, so nothing of it is certain. */
export interface ExportingApp {
  spec?: { graphqlEndpoint?: unknown; metrics?: unknown };
  status?: { phase?: string; pods?: { observed?: number; unreachable?: number }; state?: unknown };
}

/** A longer text is not one of a few states, and every new one would be another series. */
const maxStateLength = 64;
const maxLabelLength = 256;
const maxFields = 16;
/** How the status shows a list. */
const list = /^\[\d+ items\]$/;

/** A value that makes a series; null for one that is not there, undefined for one that is withheld. */
function readingOf(shown: JsonObject, field: string): number | string | null | undefined {
  const value = own(shown, field);
  if (value === undefined) {
    const names = Object.keys(shown);
    const isCutOff = names.length >= maxFieldsShown || names.some((name) => name.startsWith(`${field}.`));
    return isCutOff ? undefined : null;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return value === null ? null : undefined;
  if (value.length > maxStateLength || list.test(value)) return undefined;
  // An empty label is no label.
  return sanitize(value, maxStateLength) || null;
}

const fieldsIn = (metrics: unknown): string[] =>
  Array.isArray(metrics)
    ? metrics.filter((field): field is string => typeof field === 'string').slice(0, maxFields)
    : [];

/** How many pods there are that the status does not show. */
function podsBeyond({ pods: { observed = 0, unreachable = 0 } = {} }: NonNullable<ExportingApp['status']>): number {
  return Math.max(0, observed + unreachable - maxPodsShown);
}

/**
 * What `spec.metrics` of a TargetApp exports: of the state that its status shows, the fields that it names. Undefined when
 * it exports nothing, or is not being watched (suspended, invalid, not yet looked at). A pod that gives no answer keeps what
 * it said last, as in the status. At most 320 readings: 20 pods, 16 fields.
 */
export function exportedFields({ spec, status }: ExportingApp): ExportedFields | undefined {
  const fields = fieldsIn(spec?.metrics);
  if (fields.length === 0 || status?.phase !== 'Monitoring' || !isJsonObject(status.state as Json)) return undefined;
  const isWhole = typeof spec?.graphqlEndpoint === 'string' && !spec.graphqlEndpoint.startsWith('/');
  const readings: FieldReading[] = [];
  let withheld = podsBeyond(status) * fields.length;
  for (const [name, shown] of Object.entries(status.state as JsonObject).slice(0, maxPodsShown)) {
    const pod = isWhole ? '' : sanitize(name, maxLabelLength);
    for (const field of fields) {
      const value = isJsonObject(shown) ? readingOf(shown, field) : undefined;
      if (value === undefined) withheld += 1;
      else if (value !== null) readings.push({ pod, field: sanitize(field, maxLabelLength), value });
    }
  }
  return { readings, withheld };
}
