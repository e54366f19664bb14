import { isTransient, type Kube, KubeError } from '../../clients/kube.ts';
import { groupOf } from '../../clients/kube-paths.ts';
import type { ActionOutcome } from '../../domain/action.ts';
import { Retry, Wait } from './action.ts';

/** What an action tried to do, in the words of RBAC. */
export interface Attempted {
  verb: 'create' | 'delete' | 'get' | 'patch';
  apiVersion: string;
  resource: string;
  subresource?: string;
  namespace: string;
  name?: string;
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
  { givenBy, ...attempted }: Attempted,
): Promise<ActionOutcome> => {
  const { verb, apiVersion, resource, subresource, namespace } = attempted;
  try {
    const [{ allowed }, user] = await Promise.all([
      kube.canI({ ...attempted, group: groupOf(apiVersion) }),
      kube.whoAmI(),
    ]);
    if (allowed) return { status: 'refused', reason: 'AdmissionDenied', message: error.message };
    const what = `${resource}${subresource ? `/${subresource}` : ''}`;
    const remedy = givenBy ? `; the administrator gives the right with the Helm value ${givenBy}` : '';
    const message = `${user} may not ${verb} ${what} in namespace ${namespace}${remedy}; check with: ${canI(attempted, user)}`;
    return { status: 'refused', reason: 'Forbidden', message };
  } catch {
    // Who may not even ask is told what the server said.
    return { status: 'refused', reason: 'Forbidden', message: error.message };
  }
};

/** Whether a failed call may succeed later: no answer, aborted, 429, 5xx, and 401, since a token that was just rotated is refused once. */
export const mayPass = (error: KubeError): boolean =>
  isTransient(error) || error.reason === 'Aborted' || error.status === 401;

const absenceWaitMs = 2_000;

/**
 * An API server that cannot be reached has not been asked anything: its return is waited for, however often the action
 * may be retried. Undefined for any other error.
 */
export const absence = (error: unknown): Wait | undefined =>
  error instanceof KubeError && error.reason === 'ConnectFailed'
    ? new Wait(error.reason, error.message, absenceWaitMs)
    : undefined;

/**
 * What a failed call means for a repeatable action: `Wait` for an API server that is away, `Retry` where another attempt
 * may help, data otherwise. Anything but a `KubeError` is a fault of this program and is thrown on.
 */
export const kubeFailure = async (
  kube: Pick<Kube, 'canI' | 'whoAmI'>,
  error: unknown,
  attempted: Attempted,
): Promise<ActionOutcome> => {
  if (!(error instanceof KubeError)) throw error;
  const away = absence(error);
  if (away !== undefined) throw away;
  if (mayPass(error)) throw new Retry(error.reason, error.message, error.retryAfterMs);
  if (error.status === 403) return refusal(kube, error, attempted);
  return { status: 'failed', reason: failureReason(error), message: error.message };
};
