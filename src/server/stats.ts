import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import type { Json } from '../domain/json.ts';
import { secondsOf } from '../domain/seconds.ts';

/** Where the numbers come from. */
export interface StatsOptions {
  leader(): string;
  /** By resource. */
  caches: Record<string, Pick<Informer<unknown>, 'scopes' | 'size'>>;
  /** Objects that wait for Temporal. */
  pending(): number;
  /** Turns that are held here. */
  turns(): number;
  workers(): Record<string, string>;
}

const inMiB = (usage: NodeJS.MemoryUsage): Record<string, number> =>
  Object.fromEntries(Object.entries(usage).map(([part, bytes]) => [part, Math.round(bytes / 2 ** 20)]));

/** A cache's watches as people read of them: the resource, and the namespace where only some are watched. */
const stalenessOf = (plural: string, cache: Pick<Informer<unknown>, 'scopes'>): [string, number][] =>
  cache
    .scopes()
    .map(({ namespace, stalenessMs }) => [
      namespace === undefined ? plural : `${plural}[${namespace}]`,
      secondsOf(stalenessMs),
    ]);

/** What the process is busy with, for people. */
export const statsOf = ({ leader, caches, pending, turns, workers }: StatsOptions): Json => ({
  leader: leader(),
  objects: Object.fromEntries(Object.entries(caches).map(([plural, { size }]) => [plural, size])),
  turnsHeld: turns(),
  waitingForTemporal: pending(),
  watchStalenessSeconds: Object.fromEntries(
    Object.entries(caches).flatMap(([plural, cache]) => stalenessOf(plural, cache)),
  ),
  worker: workers(),
  memoryMiB: inMiB(process.memoryUsage()),
});
