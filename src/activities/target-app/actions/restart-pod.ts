import type { RestartPodParameters } from '../../../api/target-app/action-parameters.ts';
import type { Kube } from '../../../clients/kubernetes/client.ts';
import { selectorText } from '../../../clients/kubernetes/label-selector.ts';
import { pods } from '../../../clients/kubernetes/pods.ts';
import { lookAtOwner, type PodObject, podLife } from '../../../clients/kubernetes/workloads.ts';
import type { PodRef } from '../../../domain/refs.ts';
import { isSelected } from '../../../domain/selector.ts';
import type { ActionOutcome } from '../../../domain/target-app/action.ts';
import { tooYoung, unsettled } from '../../../domain/workload.ts';
import { type Action, Wait } from './action.ts';
import { kubeFailure } from './kube-failure.ts';
import { askedMs, hold, type Restarting, restartOne, soFar } from './restart-one.ts';
import { nothingTold, restartOutcome, stopped } from './restart-outcome.ts';
import { RestartProgress } from './restart-progress.ts';
import { createTurns } from './turns.ts';

// Creation times have seconds and the API server's clock; a replacement may be as old as the decision by both.
const surelyOlderMs = 5_000;
/** How soon the replacement of a restarted pod is looked at. */
const settlingMs = 2_000;

/**
 * All running pods of the selector that were there at the first look, oldest first: a later call sees the replacements as
 * well. Where an attempt got lost and left no word, a pod too few is better than one restarted twice.
 */
async function allPods(restarting: Restarting): Promise<PodRef[]> {
  const { kube, context, progress } = restarting;
  const { request, selector, signal, mayBeDone } = context;
  const labelSelector = selectorText(selector);
  const { items } = await kube.list<PodObject>(pods, { namespace: request.namespace, labelSelector, signal });
  const selected = items.filter(({ metadata }) => isSelected(selector, metadata.labels ?? {}));
  const running = selected.map(podLife).filter(({ alive, running: runs }) => alive && runs);
  const newest = Math.max(0, ...running.map(({ createdAt }) => createdAt));
  const isFirst = progress?.since === undefined && !mayBeDone && running.length > 1;
  const young = isFirst ? tooYoung(running, restarting.now()) : undefined;
  if (young !== undefined) hold(restarting, young);
  const since = progress?.since ?? (mayBeDone ? request.at - surelyOlderMs : newest);
  restarting.progress = { names: [], count: 0, ...progress, since };
  return running
    .filter(({ createdAt }) => createdAt <= since)
    .toSorted((one, other) => one.createdAt - other.createdAt || one.name.localeCompare(other.name));
}

/** Waits until the pod that was restarted last is replaced; the outcome when that takes too long. */
async function settle(restarting: Restarting): Promise<ActionOutcome | undefined> {
  const { kube, context, parameters, progress, now } = restarting;
  const { signal, selector, request } = context;
  if (progress?.last === undefined) return undefined;
  const looking = { namespace: request.namespace, selector, signal };
  const { workload, pods: all } = await lookAtOwner(kube, progress.last.owner, looking);
  if (workload.noReplacement !== undefined) return undefined;
  const trouble = unsettled(workload, all, progress.last, askedMs(parameters), now());
  if (trouble === undefined) return undefined;
  if (trouble.stalled) return stopped(restarting, 'failed', 'RolloutStalled', trouble.message);
  throw new Wait('Rolling', trouble.message, settlingMs, soFar(restarting));
}

/** One after the other: once a pod is to be replaced, a timer of the workflow runs, and the next call goes on from there. */
async function restartEach(restarting: Restarting): Promise<ActionOutcome> {
  const { context, parameters } = restarting;
  const wanted = parameters.pods === 'all' ? await allPods(restarting) : context.request.pods;
  restarting.isSeveral = wanted.length > 1;
  for (const [index, pod] of wanted.entries()) {
    const result = await restartOne(restarting, pod);
    if (result.is === 'ended') return result.outcome;
    const left = wanted.length - index - 1;
    if (result.is === 'passed' || !result.isReplaced || left === 0) continue;
    const message = `restarted ${pod.name}, ${left} to go, one after the other`;
    throw new Wait('Rolling', message, settlingMs, soFar(restarting));
  }
  return restartOutcome(restarting);
}

/**
 * `restart_pod`: deletes or evicts pods, for their controller to replace. At most one restart per episode and pod: every
 * call carries the pod's uid as a precondition, so a repetition finds the pod gone, which is done. Never two pods of a
 * workload at once: while another one is on its way, it waits.
 *
 * Reasons: `Restarted`, `Deleted`, `AlreadyGone`, `DryRun`, `DisruptionBudget`, `NoMatchingPods`, `Rolling`,
 * `RolloutStalled`, `SeveralDisruptionBudgets`, `StartingUp`, `Unmanaged`, and those of a failed call.
 */
export const createRestartPod = ({
  kube,
  now = Date.now,
}: {
  kube: Pick<Kube, 'canI' | 'deletePod' | 'evictPod' | 'get' | 'list' | 'whoAmI'>;
  now?(): number;
}): Action<RestartPodParameters> => {
  const turns = createTurns();
  const run: Action<RestartPodParameters>['run'] = async (context, parameters) => {
    const { namespace, progress } = context.request;
    const restarting: Restarting = {
      kube,
      context,
      parameters,
      now,
      turns,
      attempted: { verb: 'get', apiVersion: 'v1', resource: 'pods', namespace },
      progress: RestartProgress.safeParse(progress).data,
      isSeveral: false,
      told: nothingTold(),
    };
    try {
      return (await settle(restarting)) ?? (await restartEach(restarting));
    } catch (error) {
      return await kubeFailure(kube, error, restarting.attempted, soFar(restarting));
    }
  };
  return { name: 'restart_pod', run };
};
