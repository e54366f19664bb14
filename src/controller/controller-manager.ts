import type { Metrics } from '../telemetry/metrics/operator.ts';
import type { KindController } from './kind-controller.ts';

/** A kind, whatever its objects are. */
export type AnyKind = KindController<unknown>;

/** The controllers of all kinds: they lead, resync and end together. */
export interface ControllerManager {
  /** Begins to make sure of every object's workflow from time to time. */
  start(): void;
  /** Whether this replica is the one that signals to Temporal. */
  setLeading(leading: boolean): void;
  /** Makes sure of every object's workflow now. */
  resync(): void;
  /** Objects that wait for Temporal. */
  readonly pending: number;
  stop(): Promise<void>;
}

/** How often every object's workflow is made sure of, in case somebody ended one by hand. */
const resyncEveryMs = 10 * 60_000;

/** Manages these kinds, and exports what they count. */
export function createControllerManager(
  kinds: readonly AnyKind[],
  metrics: Pick<Metrics, 'readActiveMonitors' | 'readExportedFields'>,
): ControllerManager {
  metrics.readActiveMonitors(() => kinds.flatMap(({ counts }) => [...counts()]));
  metrics.readExportedFields(() => kinds.flatMap(({ exported }) => exported()));
  const controllers = kinds.map(({ controller }) => controller);
  let resyncing: NodeJS.Timeout | undefined;
  const resync = (): void => {
    for (const controller of controllers) controller.resync();
  };
  return {
    start: () => {
      resyncing ??= setInterval(resync, resyncEveryMs).unref();
    },
    setLeading: (leading) => {
      for (const controller of controllers) controller.setLeading(leading);
    },
    resync,
    get pending() {
      return controllers.reduce((sum, { pending }) => sum + pending, 0);
    },
    stop: async () => {
      clearInterval(resyncing);
      await Promise.all(controllers.map((controller) => controller.stop()));
    },
  };
}
