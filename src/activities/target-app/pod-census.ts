import { inSeconds } from '../../domain/seconds.ts';
import type { PodsSeen } from '../../domain/target-app/findings.ts';
import { type ObserveInput, wholeApp } from '../../domain/target-app/observation.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { MissingPods } from './missing-pods.ts';
import type { WatchedPods } from './pod-index.ts';
import { isAlive, isRunning, type PodView } from './pod-view.ts';
import type { EffectiveSpec } from './reader.ts';

/** What asking for the pods of a TargetApp needs. */
export interface PodCensusOptions {
  pods: WatchedPods;
  unwatched: MissingPods;
  log: Pick<Log, 'warning'>;
}

/** The pods of a TargetApp, as far as it can be said. */
export interface PodsThere {
  /** What the workflow is told of them. */
  seen: PodsSeen;
  /** Those that can be asked. */
  running: (PodView & { ip: string })[];
  /** Known pods of which nobody can say whether they are there. */
  undecided: string[];
  /** Whether a pod is still there under that address. */
  isAt(uid: string, ip: string | undefined): boolean;
}

/** Says which pods of a TargetApp there are. Both throw while the watch has not begun, which is a matter of a moment. */
export interface PodCensus {
  /** As the watch has it. */
  watched(namespace: string, inForce: EffectiveSpec): PodsSeen;
  /** The API server is asked for known pods that the watch lacks. */
  present(input: ObserveInput, inForce: EffectiveSpec, signal: AbortSignal): Promise<PodsThere>;
}

/** So long after the API server last proved that the watch is current, that nothing is there is only what it last said. */
const longestSilenceMs = 120_000;

const isSaidToRun = ({ phase, ip }: PodView): boolean => phase === 'Running' && ip !== undefined;

/** Whether a pod is there under that address whenever it is asked. */
const isStillAt =
  (now: (uid: string) => PodView | undefined): PodsThere['isAt'] =>
  (uid, ip) => {
    const pod = now(uid);
    return pod !== undefined && pod.ip === ip && isAlive(pod);
  };

/** The LIST and WATCH that covers a namespace. */
const scopeOf = (pods: WatchedPods, namespace: string) => {
  const scopes = pods.scopes();
  return scopes.find((scope) => scope.namespace === namespace) ?? scopes.find((scope) => scope.namespace === undefined);
};

/** Why the pods of a namespace are not known at all. */
const unwatchable = (pods: WatchedPods, namespace: string): string | undefined => {
  if (pods.hasSynced(namespace)) return undefined;
  const trouble = scopeOf(pods, namespace)?.trouble;
  if (trouble === undefined) throw new Error('the watch of pods in the namespace has not synced yet');
  return `the pods of this namespace cannot be watched: ${trouble}`;
};

const selectedBy = ({ spec }: EffectiveSpec, pods: WatchedPods, namespace: string): PodView[] =>
  spec === undefined ? [] : pods.selected(namespace, spec.selector);

const seenByWatch = (pods: WatchedPods, namespace: string, inForce: EffectiveSpec): PodsSeen => {
  const podsUnknown = unwatchable(pods, namespace);
  const matched = selectedBy(inForce, pods, namespace).filter(isAlive).length;
  return { matched, ...(podsUnknown !== undefined && { podsUnknown }) };
};

/** What is to be said of an app of which no pod runs, as far as one knows. */
const noneRunning = (pods: WatchedPods, namespace: string, undecided: string[]): Partial<PodsSeen> => {
  if (undecided.length > 0) return { podsUnknown: 'the API server does not say whether its pods are still there' };
  const silentMs = scopeOf(pods, namespace)?.stalenessMs ?? 0;
  if (silentMs <= longestSilenceMs) return { nothingRuns: true };
  return { podsUnknown: `the API server has said nothing of pods for ${inSeconds(silentMs)}` };
};

/** Uids of known pods that the watch does not have. */
const unwatchedOf = ({ app, known }: ObserveInput, pods: WatchedPods, matching: PodView[]): string[] => {
  const matched = new Set(matching.map(({ uid }) => uid));
  const unmatched = Object.keys(known).filter((subject) => subject !== wholeApp && !matched.has(subject));
  return unmatched.filter((uid) => pods.find(app.namespace, uid) === undefined);
};

export const createPodCensus = ({ pods, unwatched, log }: PodCensusOptions): PodCensus => {
  /** Known pods that the watch does not have: those that are there all the same, and those of which nobody can say. */
  const missing = async (
    input: ObserveInput,
    { spec, plan }: EffectiveSpec,
    matching: PodView[],
    signal: AbortSignal,
  ): Promise<{ found: PodView[]; undecided: string[] }> => {
    const { namespace, name: tapp } = input.app;
    const uids = spec === undefined || !plan.perPod ? [] : unwatchedOf(input, pods, matching);
    if (spec === undefined || uids.length === 0) return { found: [], undecided: [] };
    const found = await unwatched({ namespace, selector: spec.selector, uids }, signal);
    if (found === undefined) return { found: [], undecided: uids };
    if (found.length > 0) log.warning('pod watch lags behind', { namespace, tapp, pods: found.length });
    return { found: found.filter(isAlive), undecided: [] };
  };

  return {
    watched: (namespace, inForce) => seenByWatch(pods, namespace, inForce),

    present: async (input, inForce, signal) => {
      const { namespace } = input.app;
      const podsUnknown = unwatchable(pods, namespace);
      const selected = selectedBy(inForce, pods, namespace);
      const alive = selected.filter(isAlive);
      const { found, undecided } = await missing(input, inForce, alive, signal);
      const matching = [...alive, ...found];
      // One on its way out runs until it is gone: a replacement in between is no outage.
      const runs = [...selected, ...found].some(isSaidToRun);
      const seen: PodsSeen = {
        matched: matching.length,
        ...(podsUnknown !== undefined && { podsUnknown }),
        ...(podsUnknown === undefined && inForce.plan.perPod && !runs && noneRunning(pods, namespace, undecided)),
      };
      const isAt = isStillAt((uid) => pods.find(namespace, uid) ?? found.find((pod) => pod.uid === uid));
      return { seen, running: matching.filter(isRunning), undecided, isAt };
    },
  };
};
