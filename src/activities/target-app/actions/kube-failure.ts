import { isTransient, type Kube, KubeError } from '../../../clients/kubernetes/client.ts';
import { groupOf } from '../../../clients/kubernetes/paths.ts';
import type { Json } from '../../../domain/json.ts';
import type { ActionOutcome } from '../../../domain/target-app/action.ts';
import { failed, refused } from '../../../domain/target-app/outcomes.ts';
import { Retry, Wait } from './action.ts';

/** What an action tried to do, in the words of RBAC. */
export interface Attempted {
  verb: 'create' | 'delete' | 'get' | 'list' | 'patch';
  apiVersion: string;
  resource: string;
  subresource?: string;
  namespace: string;
  name?: string;
  /** The call that is under way changes nothing yet; what is `get` or `list` never does. */
  isRead?: boolean;
  /** The Helm value that gives the right, where the action's own switch does not. */
  givenBy?: string;
}

/** Reasons that a refused or failed call to the API server can give; a closed list. */
export const kubeFailureReasons = [
  'AdmissionDenied',
  'BadRequest',
  'Conflict',
  'Forbidden',
  'InvalidName',
  'NotFound',
  'RequestFailed',
  'Unprocessable',
] as const;
export type KubeFailureReason = (typeof kubeFailureReasons)[number];

const reasonByStatus: Record<number, KubeFailureReason> = {
  400: 'BadRequest',
  404: 'NotFound',
  405: 'BadRequest',
  409: 'Conflict',
  413: 'BadRequest',
  415: 'BadRequest',
  422: 'Unprocessable',
};

const failureReason = (error: KubeError): KubeFailureReason => {
  if (error.reason === 'InvalidName') return 'InvalidName';
  return (error.status === undefined ? undefined : reasonByStatus[error.status]) ?? 'RequestFailed';
};

const canI = ({ verb, apiVersion, resource, subresource, namespace, name }: Attempted, user: string): string => {
  const group = groupOf(apiVersion);
  const type = group ? `${resource}.${group}` : resource;
  const part = subresource ? ` --subresource=${subresource}` : '';
  return `kubectl auth can-i ${verb} ${type}${name ? `/${name}` : ''}${part} -n ${namespace} --as ${user}`;
};

/** A 403 is either a missing right or an admission's decision; the API server is asked which. */
const refusal = async (
  kube: Pick<Kube, 'canI' | 'whoAmI'>,
  error: KubeError,
  { givenBy, isRead: _, ...attempted }: Attempted,
): Promise<ActionOutcome> => {
  const { verb, apiVersion, resource, subresource, namespace } = attempted;
  try {
    const [{ allowed }, user] = await Promise.all([
      kube.canI({ ...attempted, group: groupOf(apiVersion) }),
      kube.whoAmI(),
    ]);
    if (allowed) return refused('AdmissionDenied', error.message);
    const what = `${resource}${subresource ? `/${subresource}` : ''}`;
    const remedy = givenBy ? `; the administrator gives the right with the Helm value ${givenBy}` : '';
    return refused(
      'Forbidden',
      `${user} may not ${verb} ${what} in namespace ${namespace}${remedy}; check with: ${canI(attempted, user)}`,
    );
  } catch {
    // Who may not even ask is told what the server said.
    return refused('Forbidden', error.message);
  }
};

/** Whether a failed call may succeed later: no answer, aborted, 429, 5xx, and 401, since a token that was just rotated is refused once. */
const mayPass = (error: KubeError): boolean => isTransient(error) || error.reason === 'Aborted' || error.status === 401;

const waitMs = 2_000;

/** How far an action had come when a call failed: what a wait is told of it. */
export interface SoFar {
  /** Some of the work is done, or may be. */
  begun: boolean;
  /** For the next call. */
  progress?: Json;
}

/** Whether a failed call proves that it was not carried out: it reached nobody, or was turned away at the door. */
const wasNotDone = ({ status, reason }: KubeError): boolean =>
  reason === 'ConnectFailed' || status === 401 || status === 429;

/**
 * A call that did nothing, and may succeed later: it is waited for, however often the action may be retried. Undefined for
 * any other error.
 *
 * @param isRead whether the call could not have changed anything
 */
export const passing = (error: unknown, isRead: boolean, soFar: SoFar): Wait | undefined =>
  error instanceof KubeError && mayPass(error) && (isRead || wasNotDone(error))
    ? new Wait(error.reason, error.message, error.retryAfterMs ?? waitMs, soFar)
    : undefined;

/**
 * What a failed call means for a repeatable action: `Wait` when nothing was done and that may pass, `Retry` when a write
 * may have been carried out, data otherwise. Anything but a `KubeError` is thrown on: a fault of this program, or a
 * decision that was made already.
 */
export const kubeFailure = async (
  kube: Pick<Kube, 'canI' | 'whoAmI'>,
  error: unknown,
  attempted: Attempted,
  soFar: SoFar,
): Promise<ActionOutcome> => {
  if (!(error instanceof KubeError)) throw error;
  const { verb, isRead = verb === 'get' || verb === 'list' } = attempted;
  const wait = passing(error, isRead, soFar);
  if (wait !== undefined) throw wait;
  if (mayPass(error)) throw new Retry(error.reason, error.message, error.retryAfterMs);
  if (error.status === 403) return refusal(kube, error, attempted);
  return failed(failureReason(error), error.message);
};
