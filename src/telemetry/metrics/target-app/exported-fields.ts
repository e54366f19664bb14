import { Gauge, type Registry } from 'prom-client';

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

type Read = () => Iterable<FieldsOfApp>;

/**
 * The gauges of `spec.metrics`. They hold nothing between two scrapes: each has the series that `read` gives now, so what
 * is gone, suspended or led by another replica leaves none behind. A text is a state set of which the present state alone
 * is told, because nobody says which others there are.
 */
export const registerFieldGauges = (registry: Registry, read: Read): void => {
  const registers = [registry];
  new Gauge({
    name: 'operator_kco_tapp_field_value',
    help: 'Last observed value of a numeric field of an application that its TargetApp exports; true is 1, false 0',
    labelNames: ['namespace', 'tapp', 'pod', 'field'],
    registers,
    collect() {
      this.reset();
      for (const { namespace, tapp, readings } of read())
        for (const { pod, field, value } of readings)
          if (typeof value === 'number') this.set({ namespace, tapp, pod, field }, value);
    },
  });
  new Gauge({
    name: 'operator_kco_tapp_field_state',
    help: 'Always 1; the last observed text of a field of an application that its TargetApp exports stands in the label state',
    labelNames: ['namespace', 'tapp', 'pod', 'field', 'state'],
    registers,
    collect() {
      this.reset();
      for (const { namespace, tapp, readings } of read())
        for (const { pod, field, value } of readings)
          if (typeof value === 'string') this.set({ namespace, tapp, pod, field, state: value }, 1);
    },
  });
  new Gauge({
    name: 'operator_kco_tapp_fields_withheld',
    help: 'Values that a TargetApp asks to export and that have no series, because of a limit or as they are no single value',
    labelNames: ['namespace', 'tapp'],
    registers,
    collect() {
      this.reset();
      for (const { namespace, tapp, withheld } of read()) this.set({ namespace, tapp }, withheld);
    },
  });
};
