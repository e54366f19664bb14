import type { RestartPodParameters } from '../../api/action-parameters.ts';
import type { Kube, KubeObject } from '../../clients/kube.ts';
import { pods } from '../../clients/kube-pods.ts';
import type { ActionOutcome, PodRef } from '../../domain/action.ts';
import { type Action, type ActionContext, Wait } from './action.ts';
import { type Attempted, kubeFailure } from './kube-failure.ts';

type PodKube = Pick<Kube, 'canI' | 'deletePod' | 'evictPod' | 'get' | 'whoAmI'>;

/** What became of one pod. */
type Restarted = 'blocked' | 'deleted' | 'gone';

// What the API server suggests for a budget, when it suggests nothing.
const budgetWaitMs = 10_000;
// Creation times have seconds and the API server's clock; a replacement may be as old as the decision by both.
const surelyOlderMs = 5_000;

/**
 * Pods that were surely there when the rule fired: a later attempt sees the replacements of an earlier one as well, and a
 * pod too few is better than one restarted twice.
 */
const notReplacements = async (
  kube: PodKube,
  { request, signal }: ActionContext,
  candidates: PodRef[],
): Promise<PodRef[]> => {
  const found = await Promise.all(
    candidates.map(async (pod) => {
      const object = await kube.get<KubeObject>(pods, { namespace: request.namespace, name: pod.name }, { signal });
      const created = Date.parse(object?.metadata.creationTimestamp ?? '');
      return object?.metadata.uid === pod.uid && created <= request.at - surelyOlderMs ? [pod] : [];
    }),
  );
  return found.flat();
};

const targets = (
  kube: PodKube,
  context: ActionContext,
  parameters: RestartPodParameters,
): Promise<PodRef[]> | PodRef[] => {
  const { pods: triggering } = context.request;
  if (parameters.pods === 'triggering' && triggering.length > 0) return triggering;
  const all = context.matchingPods();
  return context.mayBeDone ? notReplacements(kube, context, all) : all;
};

const restart = async (
  kube: PodKube,
  { request, signal }: ActionContext,
  { evict, gracePeriod }: RestartPodParameters,
  { uid, name }: PodRef,
): Promise<Restarted> => {
  const options = {
    uid,
    dryRun: request.dryRun,
    signal,
    ...(gracePeriod !== undefined && { gracePeriodSeconds: gracePeriod }),
  };
  const pod = { namespace: request.namespace, name };
  return evict ? (await kube.evictPod(pod, options)).result : kube.deletePod(pod, options);
};

const names = (list: PodRef[]): string => list.map(({ name }) => name).join(', ');

const outcome = (dryRun: boolean, done: Map<Restarted, PodRef[]>): ActionOutcome => {
  const deleted = done.get('deleted') ?? [];
  const gone = done.get('gone') ?? [];
  const absent = gone.length > 0 ? `already gone: ${names(gone)}` : '';
  if (deleted.length === 0) {
    return { status: dryRun ? 'dryRun' : 'succeeded', reason: 'AlreadyGone', message: absent };
  }
  const message = [`${dryRun ? 'would restart' : 'restarted'}: ${names(deleted)}`, absent].filter(Boolean).join('; ');
  return dryRun
    ? { status: 'dryRun', reason: 'DryRun', message }
    : { status: 'succeeded', reason: 'Restarted', message };
};

/** A budget that refuses is waited for; a dry run says so and goes on. */
const blockedOutcome = (dryRun: boolean, blocked: PodRef[]): ActionOutcome => {
  const message = `a PodDisruptionBudget does not allow the eviction of ${names(blocked)} now`;
  if (dryRun) return { status: 'dryRun', reason: 'DisruptionBudget', message };
  throw new Wait('DisruptionBudget', message, budgetWaitMs);
};

/**
 * `restart_pod`: deletes or evicts pods, for their controller to replace. At most one restart per episode and pod: every
 * call carries the pod's uid as a precondition, so a repetition finds the pod gone, which is done.
 *
 * Reasons: `Restarted`, `AlreadyGone`, `DryRun`, `DisruptionBudget`, `NoMatchingPods`, and those of a failed call.
 */
export const createRestartPod = ({ kube }: { kube: PodKube }): Action<RestartPodParameters> => ({
  name: 'restart_pod',
  run: async (context, parameters) => {
    const { namespace, dryRun } = context.request;
    const done = new Map<Restarted, PodRef[]>();
    let attempted: Attempted = { verb: 'get', apiVersion: 'v1', resource: 'pods', namespace };
    try {
      const wanted = await targets(kube, context, parameters);
      attempted = parameters.evict
        ? { ...attempted, verb: 'create', subresource: 'eviction' }
        : { ...attempted, verb: 'delete' };
      // One after the other, so that a budget is asked again after each.
      for (const pod of wanted) {
        const result = await restart(kube, context, parameters, pod);
        done.set(result, [...(done.get(result) ?? []), pod]);
      }
    } catch (error) {
      return await kubeFailure(kube, error, attempted);
    }
    const blocked = done.get('blocked');
    if (blocked) return blockedOutcome(dryRun, blocked);
    if (done.size === 0) return nothingToRestart(context.mayBeDone);
    return outcome(dryRun, done);
  },
});

const nothingToRestart = (mayBeDone: boolean): ActionOutcome =>
  mayBeDone
    ? { status: 'succeeded', reason: 'AlreadyGone', message: 'no pod is left that was there when the rule fired' }
    : { status: 'failed', reason: 'NoMatchingPods', message: 'no Running pod matches the selector' };
