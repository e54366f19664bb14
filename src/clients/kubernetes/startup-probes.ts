import { msOf } from '../../domain/seconds.ts';

/** A container as far as its start-up goes. */
export interface StartingContainer {
  /** `Always`: an init container that runs for as long as the pod does, a sidecar. */
  restartPolicy?: string;
  startupProbe?: { initialDelaySeconds?: number; failureThreshold?: number; periodSeconds?: number };
}

/** The containers of a pod's spec. */
export interface StartingPod {
  containers?: StartingContainer[];
  initContainers?: StartingContainer[];
}

/** As the API server fills in what a probe does not say. */
const allowanceMs = ({ startupProbe }: StartingContainer): number => {
  if (startupProbe === undefined) return 0;
  const { initialDelaySeconds = 0, failureThreshold = 3, periodSeconds = 10 } = startupProbe;
  return msOf(initialDelaySeconds + failureThreshold * periodSeconds);
};

/**
 * How long the startupProbes of a pod allow it to take, in milliseconds; undefined when it has none. Sidecars start one
 * after the other and before all else.
 */
export function startupMsOf({ containers = [], initContainers = [] }: StartingPod): number | undefined {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always').map(allowanceMs);
  const total = sidecars.reduce((sum, ms) => sum + ms, 0) + Math.max(0, ...containers.map(allowanceMs));
  return total > 0 ? total : undefined;
}
