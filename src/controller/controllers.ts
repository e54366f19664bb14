import type { WatchedObject } from '../activities/watched-object.ts';
import type { WorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { ServedObjects } from '../telemetry/metrics/general.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { KindController } from './kind-controller.ts';

/** A kind, whatever its objects are. */
export type AnyKind = KindController<WatchedObject>;

/** The controllers of all kinds: they lead, resync and end together. */
export interface Controllers {
  /** Begins to make sure of every object's workflow from time to time. */
  start(): void;
  /** This replica may look after other objects than before; `isHandedOver`: others let go of those. */
  takeOver(isHandedOver: boolean): void;
  /** Makes sure of every object's workflow now. */
  resync(): Promise<void>;
  /** Objects that wait for Temporal. */
  readonly pending: number;
  stop(): Promise<void>;
}

/** How often every object's workflow is made sure of, in case somebody ended one by hand. */
const resyncEveryMs = 10 * 60_000;
/** How often those turns are looked for that have not come back. */
const seekEveryMs = 5_000;

/** How many objects of a kind are looked after, by namespace. */
function servedObjects({ registration, present }: AnyKind): ServedObjects[] {
  const counts = new Map<string, number>();
  for (const { metadata } of present()) counts.set(metadata.namespace, (counts.get(metadata.namespace) ?? 0) + 1);
  return [...counts].map(([namespace, count]) => ({ kind: registration.ref.kind, namespace, count }));
}

/** As soon as it can be said: what a cache does not have yet is no orphan. */
async function endOrphans(
  { cache, controller }: AnyKind,
  listRunning: () => Promise<Set<string> | undefined>,
): Promise<void> {
  await cache.synced;
  const running = await listRunning();
  if (running !== undefined) controller.endOrphans(running);
}

/** Puts these kinds under one hand, and exports how many objects they have. */
export function createControllers(
  kinds: readonly AnyKind[],
  { metrics, starter }: { metrics: Pick<Metrics, 'readServedObjects'>; starter: Pick<WorkflowStarter, 'running'> },
): Controllers {
  metrics.readServedObjects(() => kinds.flatMap(servedObjects));
  const controllers = kinds.map(({ controller }) => controller);
  const timers: NodeJS.Timeout[] = [];
  const listRunning = (): Promise<Set<string> | undefined> => starter.running().catch(() => undefined);
  const resync = async (): Promise<void> => {
    const running = await listRunning();
    for (const controller of controllers) controller.resync(running);
    for (const { cache, controller } of kinds)
      if (running !== undefined && cache.hasSynced()) controller.endOrphans(running);
  };
  const seekTurns = (): void => {
    for (const controller of controllers) controller.seekTurns();
  };
  return {
    start: () => {
      timers.push(setInterval(() => void resync(), resyncEveryMs).unref(), setInterval(seekTurns, seekEveryMs).unref());
    },
    takeOver: (isHandedOver) => {
      for (const controller of controllers) controller.takeOver(isHandedOver);
      for (const kind of kinds) void endOrphans(kind, listRunning);
    },
    resync,
    get pending() {
      return controllers.reduce((sum, { pending }) => sum + pending, 0);
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(controllers.map((controller) => controller.stop()));
    },
  };
}
