import type { CompiledAction } from './compiled-spec.ts';
import type { FiredRequest } from './firing.ts';
import type { PendingAction } from './memory.ts';

/** The lane of restarts: one after the other within a TargetApp. */
const restartLane = 'restart';

/** What an action must neither run beside nor overtake: others on the same pods, to the same receiver, other restarts. */
export function lanesOf({ receiver, paced, onPods }: CompiledAction, { pods }: Pick<FiredRequest, 'pods'>): string[] {
  if (receiver !== undefined) return [`to ${receiver}`];
  if (!onPods) return [];
  const own = pods.length > 0 ? pods.map(({ uid }) => uid) : ['any pod'];
  return paced ? [restartLane, ...own] : own;
}

/** Whether a later action may overtake this one: a restart for which it is not time yet holds up no other pod's. */
const letsPass = (action: PendingAction, lane: string, now: number): boolean =>
  lane === restartLane && !action.begun && action.notBefore > now;

/** The earlier action that one has to wait for; undefined when its turn has come. */
export function blockerOf(
  pending: readonly PendingAction[],
  action: PendingAction,
  running: ReadonlySet<string>,
  now: number,
): PendingAction | undefined {
  const earlier = pending.slice(
    0,
    pending.findIndex(({ request }) => request.id === action.request.id),
  );
  return earlier.find((other) =>
    other.lanes.some(
      (lane) => action.lanes.includes(lane) && (running.has(other.request.id) || !letsPass(other, lane, now)),
    ),
  );
}
