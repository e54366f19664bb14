import type { ScaleDeploymentParameters } from '../../../api/target-app/action-parameters.ts';
import {
  hasStatus,
  type Kube,
  type OwnerReference,
  type Scale,
  type ScaleTarget,
} from '../../../clients/kubernetes/client.ts';
import { lookAtScaled } from '../../../clients/kubernetes/workloads.ts';
import type { ActionOutcome } from '../../../domain/target-app/action.ts';
import { dryRun, failed, refused, succeeded } from '../../../domain/target-app/outcomes.ts';
import { type Action, type ActionContext, Wait } from './action.ts';
import { autoscalerOf, wouldUndo } from './autoscalers.ts';
import { type Attempted, kubeFailure } from './kube-failure.ts';

type ScaleKube = Pick<Kube, 'canI' | 'get' | 'getScale' | 'list' | 'ownerOfPod' | 'setScale' | 'whoAmI'>;

// Each costs two requests, and pods of one app nearly always have one owner.
const podsAsked = 5;

/** The owners of the pods that the action is about, without repetition. */
const ownersOf = async (
  kube: ScaleKube,
  { request, signal, matchingPods }: ActionContext,
): Promise<OwnerReference[]> => {
  const owners = new Map<string, OwnerReference>();
  for (const { name } of [...request.pods, ...matchingPods()].slice(0, podsAsked)) {
    const owner = await kube.ownerOfPod({ namespace: request.namespace, name }, { signal });
    if (owner) owners.set(owner.uid, owner);
    // The pod that made the rule fire decides; others stand in for it when it is gone.
    if (owner && request.pods.length > 0) break;
  }
  return [...owners.values()];
};

const noOwner = (mayBeDone: boolean, kind: string): ActionOutcome => {
  const message = `no pod is left that tells its ${kind}; name it in parameters.deployment`;
  // An earlier attempt may have scaled to 0, which leaves no pod to ask.
  return { status: mayBeDone ? 'unknown' : 'failed', reason: 'OwnerNotFound', message };
};

/** What to scale, or the outcome that says why that is not known. */
const findTarget = async (
  kube: ScaleKube,
  context: ActionContext,
  { kind, deployment }: ScaleDeploymentParameters,
): Promise<ScaleTarget | ActionOutcome> => {
  const { namespace } = context.request;
  if (deployment !== undefined) return { kind, namespace, name: deployment };
  const owners = await ownersOf(kube, context);
  const [owner, second] = owners;
  if (!owner) return noOwner(context.mayBeDone, kind);
  if (second) {
    const message = `the pods belong to ${owners.map(({ name }) => name).join(', ')}; name one in parameters.deployment`;
    return failed('OwnerAmbiguous', message);
  }
  if (owner.kind !== kind) {
    const message = `the pod belongs to the ${owner.kind} ${owner.name}, not to a ${kind}; set parameters.kind or parameters.deployment`;
    return failed('OwnerMismatch', message);
  }
  return { kind, namespace, name: owner.name };
};

/** One call of `scale_deployment` whose target is known. */
interface Scaling {
  kube: ScaleKube;
  context: ActionContext;
  target: ScaleTarget;
  /** As it is to be. */
  replicas: number;
  /** Called right before something may be changed. */
  writes(): void;
}

const conflictWaitMs = 2_000;

const whatOf = ({ kind, name }: ScaleTarget): string => `${kind} ${name}`;

const alreadyThere = ({ context, target, replicas }: Scaling): ActionOutcome => {
  const ended = context.request.dryRun ? dryRun : succeeded;
  return ended('AlreadyAtValue', `${whatOf(target)} already has ${replicas} replicas`);
};

/** What speaks against scaling now, or what is to be said beside it. */
async function circumstances(
  { kube, context, target, replicas }: Scaling,
  before: number,
): Promise<ActionOutcome | string> {
  const { signal, request } = context;
  const what = whatOf(target);
  const turnedDown = request.dryRun ? dryRun : refused;
  const looked = await lookAtScaled(kube, target, { signal });
  if (looked?.isBeingDeleted) return turnedDown('BeingDeleted', `${what} is being deleted, so it is not scaled`);
  const rollout = looked?.rollout === undefined ? '' : `; ${what} ${looked.rollout}`;
  const autoscaler = await autoscalerOf(kube, target, signal);
  if (autoscaler === 'none') return rollout;
  if (autoscaler === 'unread')
    return `${rollout}; whether a HorizontalPodAutoscaler undoes it is not known, because the operator may not list them`;
  const { name, min, max } = autoscaler;
  const range = `the HorizontalPodAutoscaler ${name} keeps ${what} between ${min} and ${max} replicas`;
  if (wouldUndo(autoscaler, before, replicas)) {
    const fix = 'change its minReplicas and maxReplicas instead, or delete it';
    return turnedDown('ScaledByHPA', `${range} and would undo a change from ${before} to ${replicas}: ${fix}`);
  }
  const still = `the HorizontalPodAutoscaler ${name} stands still until there are replicas again`;
  return `${rollout}; ${replicas === 0 ? still : range}`;
}

/**
 * Writes to the version that was read. Its status changes the version, too: then it is written again, as long as nobody
 * else has scaled it; a call that was held up does not overwrite what came after it.
 */
async function write(scaling: Scaling, read: Scale, isLast = false): Promise<ActionOutcome | undefined> {
  const { kube, context, target, replicas, writes } = scaling;
  const { signal, request, mayBeDone } = context;
  try {
    writes();
    await kube.setScale(target, { ...read, replicas }, { dryRun: request.dryRun, signal });
    return undefined;
  } catch (error) {
    if (!hasStatus(error, 409)) throw error;
    if (isLast) throw new Wait('Conflict', error.message, conflictWaitMs, { begun: mayBeDone });
  }
  const present = await kube.getScale(target, { signal });
  if (present === undefined) return absent(target);
  if (present.replicas === replicas) return alreadyThere(scaling);
  if (present.replicas === read.replicas) return write(scaling, present, true);
  const change = `from ${read.replicas} to ${present.replicas}`;
  const message = `${whatOf(target)} was scaled ${change} by another in the meantime, and is left so`;
  return failed('Conflict', message);
}

const absent = (target: ScaleTarget): ActionOutcome =>
  failed('NotFound', `there is no ${whatOf(target)} in namespace ${target.namespace}`);

async function scale(scaling: Scaling): Promise<ActionOutcome> {
  const { kube, context, target, replicas } = scaling;
  const before = await kube.getScale(target, { signal: context.signal });
  if (before === undefined) return absent(target);
  if (before.replicas === replicas) return alreadyThere(scaling);
  const beside = await circumstances(scaling, before.replicas);
  if (typeof beside !== 'string') return beside;
  const failure = await write(scaling, before);
  if (failure !== undefined) return failure;
  const change = `${whatOf(target)} from ${before.replicas} to ${replicas} replicas${beside}`;
  return context.request.dryRun ? dryRun('DryRun', `would scale ${change}`) : succeeded('Scaled', `scaled ${change}`);
}

/**
 * `scale_deployment`: sets the number of replicas of a Deployment or StatefulSet through its scale subresource. The
 * number is absolute, so a repetition changes nothing.
 *
 * Reasons: `Scaled`, `AlreadyAtValue`, `BeingDeleted`, `Conflict`, `DryRun`, `NotFound`, `OwnerAmbiguous`,
 * `OwnerMismatch`, `OwnerNotFound`, `ScaledByHPA`, and those of a failed call.
 */
export const createScaleDeployment = ({ kube }: { kube: ScaleKube }): Action<ScaleDeploymentParameters> => ({
  name: 'scale_deployment',
  run: async (context, parameters) => {
    const { namespace } = context.request;
    let attempted: Attempted = { verb: 'get', apiVersion: 'v1', resource: 'pods', namespace };
    try {
      const target = await findTarget(kube, context, parameters);
      if ('status' in target) return target;
      const resource = `${target.kind.toLowerCase()}s`;
      attempted = {
        verb: 'patch',
        apiVersion: 'apps/v1',
        resource,
        subresource: 'scale',
        namespace,
        name: target.name,
        isRead: true,
      };
      return await scale({
        kube,
        context,
        target,
        replicas: parameters.replicas,
        writes: () => {
          attempted = { ...attempted, isRead: false };
        },
      });
    } catch (error) {
      return await kubeFailure(kube, error, attempted, { begun: context.mayBeDone });
    }
  },
});
