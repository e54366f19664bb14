/** How long a replica that says nothing is believed to be there, in milliseconds. */
export const silenceMs = 10_000;

/**
 * The replicas that are there, in order: those whose Lease has been seen to change lately. Lately is before the last change of any,
 * not before now: while nothing at all is seen it is the API server that is away, and everybody is believed to be where he was.
 *
 * @param seen by name: when its Lease was last seen to change, in milliseconds of one clock
 * @param withinMs how lately
 */
export function liveReplicas(seen: ReadonlyMap<string, number>, withinMs = silenceMs): string[] {
  const newest = Math.max(...seen.values());
  return [...seen]
    .filter(([, at]) => newest - at < withinMs)
    .map(([name]) => name)
    .sort();
}
