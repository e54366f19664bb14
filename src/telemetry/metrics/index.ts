import { Registry } from 'prom-client';
import { mergeExpositions } from '../sdk-metrics.ts';
import { createGeneralMetrics, createTemporalScrape, type GeneralMetrics, type ServedObjects } from './general.ts';
import { createTargetAppMetrics, type TargetAppMetrics } from './target-app/target-app.ts';

/** What KCO counts and measures, of every kind and of each. */
export interface Metrics extends GeneralMetrics, TargetAppMetrics {
  /** Where the number of objects is read at each scrape. */
  readServedObjects(read: () => ServedObjects[]): void;
  /** Everything in Prometheus' text format 0.0.4. Never throws for the lack of Temporal's part. */
  text(): Promise<string>;
}

/** What metrics are made of. */
export interface MetricsOptions {
  /** Version of KCO. */
  version: string;
  registry?: Registry;
  /** Where Temporal's SDK serves its metrics; absent: they are left out. */
  temporalUrl?: string;
}

/** Creates the metrics of a process. */
export function createMetrics({ version, registry = new Registry(), temporalUrl }: MetricsOptions): Metrics {
  let objects: () => ServedObjects[] = () => [];
  const general = createGeneralMetrics(registry, version, () => objects());
  const targetApp = createTargetAppMetrics(registry, () => objects());
  const temporalText = createTemporalScrape(registry, temporalUrl, general.failed);
  return {
    ...general,
    ...targetApp,
    readServedObjects(read) {
      objects = read;
    },
    async text() {
      const theirs = await temporalText();
      return mergeExpositions(await registry.metrics(), theirs);
    },
  };
}
