import type { ScaleDeploymentParameters } from '../../api/action-parameters.ts';
import type { Kube, OwnerReference, ScaleTarget } from '../../clients/kube.ts';
import type { ActionOutcome } from '../../domain/action.ts';
import type { Action, ActionContext } from './action.ts';
import { type Attempted, kubeFailure } from './kube-failure.ts';

type ScaleKube = Pick<Kube, 'canI' | 'getScale' | 'ownerOfPod' | 'setScale' | 'whoAmI'>;

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
    return { status: 'failed', reason: 'OwnerAmbiguous', message };
  }
  if (owner.kind !== kind) {
    const message = `the pod belongs to the ${owner.kind} ${owner.name}, not to a ${kind}; set parameters.kind or parameters.deployment`;
    return { status: 'failed', reason: 'OwnerMismatch', message };
  }
  return { kind, namespace, name: owner.name };
};

const scale = async (
  kube: ScaleKube,
  { request: { dryRun }, signal }: ActionContext,
  target: ScaleTarget,
  replicas: number,
): Promise<ActionOutcome> => {
  const what = `${target.kind} ${target.name}`;
  const before = await kube.getScale(target, { signal });
  if (before === undefined)
    return { status: 'failed', reason: 'NotFound', message: `there is no ${what} in namespace ${target.namespace}` };
  if (before === replicas) {
    return {
      status: dryRun ? 'dryRun' : 'succeeded',
      reason: 'AlreadyAtValue',
      message: `${what} already has ${replicas} replicas`,
    };
  }
  await kube.setScale(target, replicas, { dryRun, signal });
  const change = `${what} from ${before} to ${replicas} replicas`;
  return dryRun
    ? { status: 'dryRun', reason: 'DryRun', message: `would scale ${change}` }
    : { status: 'succeeded', reason: 'Scaled', message: `scaled ${change}` };
};

/**
 * `scale_deployment`: sets the number of replicas of a Deployment or StatefulSet through its scale subresource. The
 * number is absolute, so a repetition changes nothing.
 *
 * Reasons: `Scaled`, `AlreadyAtValue`, `DryRun`, `NotFound`, `OwnerAmbiguous`, `OwnerMismatch`, `OwnerNotFound`, and those
 * of a failed call.
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
      };
      return await scale(kube, context, target, parameters.replicas);
    } catch (error) {
      return await kubeFailure(kube, error, attempted);
    }
  },
});
