import { type ActionName, actionNames } from '../../src/api/target-app/actions.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { ApiCall } from '../../test/support/api-proxy.ts';
import { whenUnhealthy } from '../../test/support/real-world.ts';

/**
 * Where in the life of an action its operator is killed:
 *
 * - `decided`: the decision stands in the history, and nothing has begun: the status cannot be written that announces it
 * - `before the call`: Temporal has given the action out, and the operator has not got it yet
 * - `sent`: the receiver has done it, and its answer has not come
 * - `answered`: the operator has the answer, and Temporal does not know
 * - `reported`: Temporal knows the outcome, and neither status nor Event says so
 * - `between`: wherever it happens to be
 */
export const points = ['decided', 'before the call', 'sent', 'answered', 'reported', 'between'] as const;
export type Point = (typeof points)[number];

/** One action at one point. */
export interface Cell {
  action: ActionName;
  point: Point;
}

/** All of them, action by action. */
export const cells: readonly Cell[] = actionNames.flatMap((action) => points.map((point) => ({ action, point })));

/** A TargetApp, with an app of its name, whose action is to be at its point when the operator is killed. */
export interface Candidate extends Cell {
  name: string;
}

export const candidateOf = ({ action, point }: Cell, suffix: string): Candidate => ({
  action,
  point,
  name: [action, point, suffix].join('-').replaceAll(/[ _]/g, '-'),
});

/** The file that a command leaves a line in for each time that it runs: when, in epoch milliseconds, and the action's id. */
export const execFile = ({ name }: Candidate): string => name;

/** What each action does to the app of a name, such that its receiver can tell how often it was done. */
const parametersOf = {
  exec_command: (candidate) => ({
    command: ['/bin/sh', '-c', 'echo "$(date +%s%3N) $2" >> "$1"', 'sh', execFile(candidate), '{{action_id}}'],
  }),
  patch_resource: ({ name }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name,
    patch: { data: { by: '{{action_id}}' } },
  }),
  restart_pod: () => ({}),
  scale_deployment: () => ({ replicas: 2 }),
  webhook: ({ name }, url) => ({ url: url(`/${name}`) }),
} satisfies Record<ActionName, (candidate: Candidate, url: (path: string) => string) => JsonObject>;

/** The rule that does a candidate's action when its app is unhealthy. */
export const ruleOf = (candidate: Candidate, url: (path: string) => string): JsonObject => ({
  name: 'once',
  trigger: whenUnhealthy,
  action: candidate.action,
  parameters: parametersOf[candidate.action](candidate, url),
});

const inNamespace = (prefix: string): string => `/${prefix}/namespaces/default`;

/** The call of the API server that an action is done by; a webhook is done by none. */
const callsOf: Record<ActionName, ((name: string) => [method: string, path: RegExp]) | undefined> = {
  exec_command: (name) => ['GET', new RegExp(`^${inNamespace('api/v1')}/pods/${name}-[^/]+/exec\\?`)],
  patch_resource: (name) => ['PATCH', new RegExp(`^${inNamespace('api/v1')}/configmaps/${name}(\\?|$)`)],
  restart_pod: (name) => ['DELETE', new RegExp(`^${inNamespace('api/v1')}/pods/${name}-[^/]+(\\?|$)`)],
  scale_deployment: (name) => ['PATCH', new RegExp(`^${inNamespace('apis/apps/v1')}/deployments/${name}/scale(\\?|$)`)],
  webhook: undefined,
};

/** Whether a call of the API server does a candidate's action. */
export function isDoing({ action, name }: Candidate, call: ApiCall): boolean {
  const [method, path] = callsOf[action]?.(name) ?? [];
  return method === call.method && path?.test(call.path) === true;
}

/** Whether a call writes the status of a candidate. */
export const isStatusOf = ({ name }: Candidate, { method, path }: ApiCall): boolean =>
  method === 'PATCH' && path.includes(`/targetapps/${name}/status?`);

/** Whether a call records an Event of a candidate. */
export const isEventOf = ({ name }: Candidate, { method, path }: ApiCall): boolean =>
  method === 'PATCH' && path.includes(`/events/${name}.`);
