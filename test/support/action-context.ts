import type { ActionContext } from '../../src/activities/target-app/actions/action.ts';
import type { KubeObject } from '../../src/clients/kubernetes/client.ts';
import type { PodRef } from '../../src/domain/refs.ts';
import type { ActionRequest } from '../../src/domain/target-app/action.ts';

/** A pod of the API server as an action is told of it. */
export const podRef = (pod: KubeObject | undefined): PodRef => ({
  uid: pod?.metadata.uid ?? '',
  name: pod?.metadata.name ?? '',
});

/** What an action gets besides its parameters; everything that does not matter to a test has a value already. */
export const actionContext = (
  request: Partial<ActionRequest>,
  { matching = [], attempt = 1, selector = {}, ...context }: Partial<ActionContext> & { matching?: PodRef[] } = {},
): ActionContext => ({
  request: {
    id: 'action-1',
    namespace: 'default',
    name: 'web',
    uid: 'uid-of-the-targetapp',
    generation: 1,
    rule: 'rule',
    content: 'c0ffee00',
    action: 'action',
    pods: [],
    at: Date.now(),
    dryRun: false,
    ...request,
  },
  signal: new AbortController().signal,
  timeoutMs: 10_000,
  attempt,
  mayBeDone: attempt > 1,
  selector,
  matchingPods: () => matching,
  ...context,
});
