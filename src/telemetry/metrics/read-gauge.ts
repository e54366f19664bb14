import { Gauge, type Registry } from 'prom-client';

/** What a gauge is called, and what its labels are. */
export interface GaugeDescription {
  name: string;
  help: string;
  labelNames: string[];
}

/** One series: its labels and its value. */
export type Series = [labels: Record<string, string>, value: number];

/** Adds a gauge that holds nothing between two scrapes: it has the series that `read` gives then, so what is gone leaves none. */
export function addReadGauge(registers: Registry[], description: GaugeDescription, read: () => Series[]): void {
  new Gauge({
    ...description,
    registers,
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.set(labels, value);
    },
  });
}
