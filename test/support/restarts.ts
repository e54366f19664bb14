import { type ActionContext, Wait } from '../../src/activities/target-app/actions/action.ts';
import { createRestartPod } from '../../src/activities/target-app/actions/restart-pod.ts';
import type { RestartPodParameters } from '../../src/api/target-app/action-parameters.ts';
import type { Kube } from '../../src/clients/kubernetes/client.ts';
import type { PodRef } from '../../src/domain/refs.ts';
import type { ActionOutcome, ActionRequest } from '../../src/domain/target-app/action.ts';
import { actionContext } from './action-context.ts';
import { until } from './until.ts';

/** What a rule without parameters means. */
export const byDefault: RestartPodParameters = { evict: false, pods: 'triggering', allowUnmanaged: false };

/** One firing of `restart_pod`, called as often as a workflow would. */
export interface Restarts {
  kube: Kube;
  /** The pods that made the rule fire. */
  pods?: PodRef[];
  /** The label `app` that the TargetApp selects. */
  app: string;
  parameters?: Partial<RestartPodParameters>;
  request?: Partial<ActionRequest>;
  context?: Partial<ActionContext>;
  /** The clock of the operator. */
  now?(): number;
}

/** One call, as the first or after `wait`. */
export const restartOnce = (
  { kube, pods = [], app, parameters, request, context, now }: Restarts,
  wait?: Wait,
): Promise<ActionOutcome> =>
  createRestartPod({ kube, ...(now && { now }) }).run(
    actionContext(
      { pods, ...request, ...(wait?.progress !== undefined && { progress: wait.progress }) },
      { selector: { matchLabels: { app } }, mayBeDone: wait?.begun ?? false, ...context },
    ),
    { ...byDefault, ...parameters },
  );

/** The wait that a call asks for; fails when it asks for none. */
export const waitOf = async (call: Promise<ActionOutcome>): Promise<Wait> => {
  const result = await call.catch((error: unknown) => error);
  if (result instanceof Wait) return result;
  throw result instanceof Error ? result : new Error(`it does not wait: ${JSON.stringify(result)}`);
};

/** Calls again until there is an outcome, and tells what was waited for on the way. */
export async function restartThrough(restarts: Restarts): Promise<{ outcome: ActionOutcome; waits: Wait[] }> {
  const waits: Wait[] = [];
  const outcome = await until(
    'there is an outcome',
    async () => {
      const result = await restartOnce(restarts, waits.at(-1)).catch((error: unknown) => error);
      if (!(result instanceof Wait)) return { result };
      waits.push(result);
      return undefined;
    },
    { instead: () => waits.at(-1)?.message },
  );
  if (outcome.result instanceof Error) throw outcome.result;
  return { outcome: outcome.result as ActionOutcome, waits };
}
