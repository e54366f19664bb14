import { kinds } from '../../../api/kinds.ts';
import type { PatchResourceParameters } from '../../../api/target-app/action-parameters.ts';
import type { Kube, ResourceRef } from '../../../clients/kubernetes/client.ts';
import { groupOf } from '../../../clients/kubernetes/paths.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../domain/json.ts';
import { isRepeatablePatch } from '../../../domain/json-patch.ts';
import type { ActionOutcome } from '../../../domain/target-app/action.ts';
import { failed, refused } from '../../../domain/target-app/outcomes.ts';
import type { Action, ActionContext } from './action.ts';
import { type Attempted, kubeFailure } from './kube-failure.ts';

type PatchKube = Pick<Kube, 'canI' | 'discover' | 'patch' | 'whoAmI'>;

export interface PatchResourceOptions {
  kube: PatchKube;
  /** What the administrator allows, as `Kind` (core) or `Kind.group`; all that is not refused below when absent. */
  allowedKinds?: readonly string[];
}

// Patching these hands out rights, credentials or the cluster itself, and KCO's own would let one TargetApp rewrite another.
const refusedGroups = new Set([
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'rbac.authorization.k8s.io',
  ...Object.values(kinds).map(({ group }) => group),
]);
const refusedKinds = new Set(['Namespace', 'Node', 'Secret', 'ServiceAccount']);

/** Rights to patch are given one by one, so the switch of the action alone gives none. */
const givenBy = 'actions.patch_resource.resources';

const notAllowed = (kind: string, allowed: readonly string[]): string =>
  `patch_resource may patch ${allowed.join(', ')} here, and no ${kind}; the administrator allows it with KCO_PATCH_KINDS (Helm: actions.patch_resource.kinds)`;

const kindRefusal = (
  { apiVersion, kind }: PatchResourceParameters,
  allowed?: readonly string[],
): ActionOutcome | undefined => {
  const group = groupOf(apiVersion);
  const qualified = group ? `${kind}.${group}` : kind;
  if (refusedGroups.has(group) || refusedKinds.has(kind))
    return refused('KindRefused', `patch_resource never patches ${qualified}`);
  if (allowed && !allowed.includes(qualified)) {
    return refused('KindNotAllowed', notAllowed(qualified, allowed));
  }
  return undefined;
};

const jsonRefusal = (patch: Json): ActionOutcome | undefined => {
  if (!Array.isArray(patch)) return refused('PatchInvalid', 'a patch of type json is a list of operations');
  if (isRepeatablePatch(patch)) return undefined;
  const message =
    'this JSON patch would do something else when sent twice (it adds to or removes from a list, or moves); put a test operation first';
  return refused('PatchNotRepeatable', message);
};

const differs = (value: Json | undefined, expected: string): boolean => value !== undefined && value !== expected;

/** A patch may name its object, but no other one. */
const objectRefusal = (
  patch: Json,
  parameters: PatchResourceParameters,
  namespace: string,
): ActionOutcome | undefined => {
  if (!isJsonObject(patch)) return refused('PatchInvalid', `a patch of type ${parameters.patchType} is an object`);
  const metadata = isJsonObject(patch['metadata']) ? patch['metadata'] : {};
  const another =
    differs(patch['apiVersion'], parameters.apiVersion) ||
    differs(patch['kind'], parameters.kind) ||
    differs(metadata['name'], parameters.name) ||
    differs(metadata['namespace'], namespace);
  return another
    ? refused('OtherObject', 'the patch names another object than parameters.apiVersion, kind and name')
    : undefined;
};

const applyBody = (
  patch: JsonObject,
  { apiVersion, kind, name }: PatchResourceParameters,
  namespace: string,
): JsonObject => {
  const metadata = isJsonObject(patch['metadata']) ? patch['metadata'] : {};
  return { ...patch, apiVersion, kind, metadata: { ...metadata, name, namespace } };
};

const send = async (
  kube: PatchKube,
  { request, signal }: ActionContext,
  ref: ResourceRef,
  parameters: PatchResourceParameters,
): Promise<ActionOutcome> => {
  const { name, patchType, patch, kind } = parameters;
  const { namespace, dryRun } = request;
  const body = patchType === 'apply' && isJsonObject(patch) ? applyBody(patch, parameters, namespace) : patch;
  // The rule is what its author wants now, so fields are taken over from others, as every controller does.
  await kube.patch(
    ref,
    { namespace, name },
    { type: patchType, body, fieldManager: 'kco-action', force: true },
    { dryRun, signal },
  );
  return dryRun
    ? { status: 'dryRun', reason: 'DryRun', message: `would patch ${kind} ${name}` }
    : { status: 'succeeded', reason: 'Patched', message: `patched ${kind} ${name}` };
};

const refusalOf = (
  parameters: PatchResourceParameters,
  namespace: string,
  allowed?: readonly string[],
): ActionOutcome | undefined =>
  kindRefusal(parameters, allowed) ??
  (parameters.patchType === 'json'
    ? jsonRefusal(parameters.patch)
    : objectRefusal(parameters.patch, parameters, namespace));

/**
 * `patch_resource`: patches one object of the TargetApp's own namespace. Idempotent or refused. A patch of type `apply`
 * creates the object when there is none, and takes fields over from other managers.
 *
 * Reasons: `Patched`, `DryRun`, `KindNotAllowed`, `KindRefused`, `KindUnknown`, `ClusterScoped`, `OtherObject`,
 * `PatchInvalid`, `PatchNotRepeatable`, and those of a failed call.
 */
export const createPatchResource = ({ kube, allowedKinds }: PatchResourceOptions): Action<PatchResourceParameters> => ({
  name: 'patch_resource',
  run: async (context, parameters) => {
    const { apiVersion, kind, name } = parameters;
    const { namespace } = context.request;
    const refusal = refusalOf(parameters, namespace, allowedKinds);
    if (refusal) return refusal;
    let attempted: Attempted = { verb: 'get', apiVersion, resource: kind, namespace, name, givenBy };
    try {
      const ref = await kube.discover(apiVersion, kind, { signal: context.signal });
      if (!ref) return failed('KindUnknown', `the API server has no ${kind} in ${apiVersion}`);
      if (!ref.namespaced)
        return refused('ClusterScoped', `${kind} belongs to no namespace, and patch_resource stays in its own`);
      attempted = { ...attempted, verb: 'patch', resource: ref.plural };
      return await send(kube, context, ref, parameters);
    } catch (error) {
      const outcome = await kubeFailure(kube, error, attempted, { begun: context.mayBeDone });
      // A test that fails on a later attempt may fail because an earlier one did the work.
      const perhapsDone = context.mayBeDone && outcome.reason === 'Unprocessable';
      return perhapsDone ? { ...outcome, status: 'unknown' } : outcome;
    }
  },
});
