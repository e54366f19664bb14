import { durationMs } from '../../../api/common/duration.ts';
import type { RestartPodParameters } from '../../../api/target-app/action-parameters.ts';
import { hasStatus, type Kube } from '../../../clients/kubernetes/client.ts';
import { controllerOf, pods } from '../../../clients/kubernetes/pods.ts';
import { type LookedAt, lookAtWorkload, type PodObject, podLife } from '../../../clients/kubernetes/workloads.ts';
import type { PodRef } from '../../../domain/refs.ts';
import type { ActionOutcome } from '../../../domain/target-app/action.ts';
import { holdOf, tooYoung } from '../../../domain/workload.ts';
import { type ActionContext, Wait } from './action.ts';
import { severalBudgets } from './disruption-budgets.ts';
import type { Attempted } from './kube-failure.ts';
import { stopped, type Told } from './restart-outcome.ts';
import type { RestartProgress } from './restart-progress.ts';
import type { Turns } from './turns.ts';

/** One call of `restart_pod`: what it works with, and how far it is. */
export interface Restarting {
  readonly kube: Pick<Kube, 'canI' | 'deletePod' | 'evictPod' | 'get' | 'list' | 'whoAmI'>;
  readonly context: ActionContext;
  readonly parameters: RestartPodParameters;
  now(): number;
  /** Looking at a workload and restarting a pod of it, as one. */
  readonly turns: Turns;
  /** The call to the API server that is under way, or comes next. */
  attempted: Attempted;
  /** What has been restarted, also by earlier calls. */
  progress?: RestartProgress;
  /** Whether it is about several pods, which are restarted one after the other. */
  isSeveral: boolean;
  readonly told: Told;
}

/**
 * What became of one pod.
 * - `restarted`: it is on its way out, and `isReplaced` says whether there will be another one in its place.
 * - `passed`: it is gone, or left alone.
 * - `ended`: nothing more is to be done to any pod.
 */
export type OneResult =
  | { is: 'passed' }
  | { is: 'restarted'; isReplaced: boolean }
  | { is: 'ended'; outcome: ActionOutcome };

const passed: OneResult = { is: 'passed' };

// What the API server suggests for a budget, when it suggests nothing.
const budgetWaitMs = 10_000;

/** The rule's `startupGrace` in milliseconds. */
export const askedMs = ({ startupGrace }: RestartPodParameters): number | undefined =>
  startupGrace === undefined ? undefined : durationMs(startupGrace);

/** What a wait or a failed call is told of the work so far. */
export const soFar = ({ context, progress }: Restarting): { begun: boolean; progress?: RestartProgress } => ({
  begun: context.mayBeDone || (progress?.count ?? 0) > 0,
  ...(progress !== undefined && { progress }),
});

/** Not now: waits, or says so in a dry run and goes on. */
export function hold(restarting: Restarting, why: { reason: string; message: string; afterMs: number }): void {
  const { reason, message, afterMs } = why;
  if (!restarting.context.request.dryRun) throw new Wait(reason, message, afterMs, soFar(restarting));
  restarting.told.holds.push({ reason, message });
}

/** Why nobody would create a pod again; undefined when somebody would. */
const unmanagedBy = (looked: LookedAt | undefined): string | undefined => {
  if (looked === undefined) return 'it has no controller';
  const { name, noReplacement } = looked.workload;
  return noReplacement && `${name} ${noReplacement}`;
};

/** What the next call needs to know of a restart. */
function advanced(
  { progress, now }: Restarting,
  pod: PodObject,
  looked: LookedAt | undefined,
  told: string,
): RestartProgress {
  const { names = [], count = 0, last } = progress ?? {};
  const owner = controllerOf(pod);
  const all = looked?.pods ?? [];
  // While it goes on within one workload, its replacements must not be taken for pods that were there before.
  const before = last !== undefined && last.owner.uid === owner?.uid ? last : undefined;
  const { newest, count: had } = before ?? {
    newest: Math.max(0, ...all.map(({ createdAt }) => createdAt)),
    count: all.filter(({ alive }) => alive).length,
  };
  return {
    since: progress?.since,
    names: [...names, told].slice(-10),
    count: count + 1,
    ...(owner &&
      looked && {
        last: {
          owner: { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name, uid: owner.uid },
          newest,
          count: had,
          at: now(),
        },
      }),
  };
}

/** The request itself, with the pod's uid as precondition. */
async function request(restarting: Restarting, { uid, name }: PodRef) {
  const { kube, context, parameters, attempted } = restarting;
  const { namespace, dryRun } = context.request;
  const { gracePeriod, evict } = parameters;
  const options = {
    uid,
    dryRun,
    signal: context.signal,
    ...(gracePeriod !== undefined && { gracePeriodSeconds: gracePeriod }),
  };
  const pod = { namespace, name };
  restarting.attempted = evict
    ? { ...attempted, verb: 'create', subresource: 'eviction' }
    : { ...attempted, verb: 'delete' };
  const result = evict ? await kube.evictPod(pod, options) : { result: await kube.deletePod(pod, options) };
  restarting.attempted = attempted;
  return result;
}

/** An eviction that the API server refuses for good is no failure that another attempt could mend. */
async function evictionRefused(restarting: Restarting, pod: PodObject): Promise<ActionOutcome | undefined> {
  const { kube, context, parameters } = restarting;
  if (!parameters.evict) return undefined;
  const budgets = await severalBudgets(kube, pod, context.signal);
  return budgets === undefined
    ? undefined
    : stopped(
        restarting,
        context.request.dryRun ? 'dryRun' : 'refused',
        'SeveralDisruptionBudgets',
        `several PodDisruptionBudgets cover the pod ${pod.metadata.name} (${budgets.join(', ')}), and Kubernetes evicts no such pod: let one of them cover it, or delete it without parameters.evict`,
      );
}

/** Deletes or evicts a pod that nothing speaks against. `looked` is what replaces it, `why` says that nothing does. */
async function carryOut(
  restarting: Restarting,
  pod: PodObject,
  looked: LookedAt | undefined,
  why: string | undefined,
): Promise<OneResult> {
  const { context, told } = restarting;
  const { uid, name } = pod.metadata;
  const result = await request(restarting, { uid, name }).catch(async (error: unknown) => {
    const outcome = hasStatus(error, 500) ? await evictionRefused(restarting, pod) : undefined;
    if (outcome === undefined) throw error;
    return { result: 'refused', outcome } as const;
  });
  if (result.result === 'refused') return { is: 'ended', outcome: result.outcome };
  if (result.result === 'blocked') {
    const message = `a PodDisruptionBudget does not allow the eviction of ${name} now: ${result.message}`;
    hold(restarting, { reason: 'DisruptionBudget', message, afterMs: budgetWaitMs });
    return passed;
  }
  if (result.result === 'gone') {
    told.gone.push(name);
    return passed;
  }
  const entry = why === undefined ? name : `${name}, for good (${why})`;
  told.restarted.push(entry);
  if (why !== undefined) told.forGood += 1;
  if (!context.request.dryRun) restarting.progress = advanced(restarting, pod, looked, entry);
  return { is: 'restarted', isReplaced: looked !== undefined && !context.request.dryRun };
}

/** Looks at what stands behind a pod, and restarts it if nothing speaks against it. */
async function restartManaged(restarting: Restarting, pod: PodObject): Promise<OneResult> {
  const { kube, context, parameters, told, now } = restarting;
  const { signal, selector, request: asking } = context;
  const looked = await lookAtWorkload(kube, pod, { namespace: asking.namespace, selector, signal });
  const why = unmanagedBy(looked);
  if (why !== undefined && !parameters.allowUnmanaged) {
    told.unmanaged.push({ name: pod.metadata.name, why });
    return passed;
  }
  if (looked?.unread !== undefined) told.unread.add(looked.unread);
  const replacing = why === undefined ? looked : undefined;
  const all = replacing?.pods ?? [];
  const asked = askedMs(parameters);
  const held = holdOf({ target: podLife(pod), workload: replacing?.workload, pods: all, asked, now: now() });
  if (held !== undefined) hold(restarting, held);
  const isFirst = controllerOf(pod)?.uid !== restarting.progress?.last?.owner.uid;
  const young = restarting.isSeveral && isFirst ? tooYoung(all, now()) : undefined;
  if (young !== undefined) hold(restarting, young);
  return carryOut(restarting, pod, replacing, why);
}

/** Restarts one pod, if it is there and nothing speaks against it. Throws `Wait` when it is not time yet. */
export async function restartOne(restarting: Restarting, { uid, name }: PodRef): Promise<OneResult> {
  const { kube, context, told, turns } = restarting;
  const { namespace } = context.request;
  const pod = await kube.get<PodObject>(pods, { namespace, name }, { signal: context.signal });
  if (pod?.metadata.uid !== uid || !podLife(pod).alive) {
    told.gone.push(name);
    return passed;
  }
  // Two that look at the same moment would both find that no other pod is on its way.
  return turns(controllerOf(pod)?.uid ?? uid, () => restartManaged(restarting, pod));
}
