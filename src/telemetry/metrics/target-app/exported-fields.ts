import type { Registry } from 'prom-client';
import { addReadGauge, type Series } from '../read-gauge.ts';

/** The last observed value of one field of one pod: a number, or a text that is one of a few states. */
export interface FieldReading {
  /** Name of the pod; empty where the app is asked as a whole. */
  pod: string;
  /** Dotted path into the state. */
  field: string;
  value: number | string;
}

/** What of an application's state is exported. Label values are bounded and printable. */
export interface ExportedFields {
  readings: FieldReading[];
  /** Values that were asked for and are not exported, because of a limit or because they are no single value. */
  withheld: number;
}

/** Whose fields they are. */
export interface FieldsOfApp extends ExportedFields {
  namespace: string;
  tapp: string;
}

/**
 * Adds the gauges of `spec.metrics`: what is gone, suspended or led by another replica leaves no series behind. A text is a state
 * set of which the present state alone is told, because nobody says which others there are.
 */
export function addFieldGauges(registers: Registry[], read: () => FieldsOfApp[]): void {
  const fields = () =>
    read().flatMap(({ namespace, tapp, readings }) => readings.map((each) => ({ namespace, tapp, ...each })));
  addReadGauge(
    registers,
    {
      name: 'operator_kco_tapp_field_value',
      help: 'Last observed value of a numeric field of an application that its TargetApp exports; true is 1, false 0',
      labelNames: ['namespace', 'tapp', 'pod', 'field'],
    },
    () => fields().flatMap(({ value, ...labels }): Series[] => (typeof value === 'number' ? [[labels, value]] : [])),
  );
  addReadGauge(
    registers,
    {
      name: 'operator_kco_tapp_field_state',
      help: 'Always 1; the last observed text of a field of an application that its TargetApp exports stands in the label state',
      labelNames: ['namespace', 'tapp', 'pod', 'field', 'state'],
    },
    () =>
      fields().flatMap(({ value, ...labels }): Series[] =>
        typeof value === 'string' ? [[{ ...labels, state: value }, 1]] : [],
      ),
  );
  addReadGauge(
    registers,
    {
      name: 'operator_kco_tapp_fields_withheld',
      help: 'Values that a TargetApp asks to export and that have no series, because of a limit or as they are no single value',
      labelNames: ['namespace', 'tapp'],
    },
    () => read().map(({ namespace, tapp, withheld }) => [{ namespace, tapp }, withheld]),
  );
}
