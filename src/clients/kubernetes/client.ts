import { createAccessReviews } from './access-reviews.ts';
import { createConnection } from './connection.ts';
import { createDiscovery } from './discovery.ts';
import { createExec } from './exec.ts';
import { loadAccess } from './kubeconfig.ts';
import { createObjectCalls } from './objects.ts';
import { createPodCalls } from './pods.ts';
import { createRequests } from './requests.ts';
import { createTransport } from './transport.ts';
import type { Kube, KubeOptions } from './types.ts';

export { hasStatus, isTransient, KubeError } from './errors.ts';
export { KubeconfigError } from './kubeconfig.ts';
export type * from './types.ts';

/** A client of the API server that a kubeconfig names. Opens no connection before the first request. Throws `KubeconfigError`. */
export const createKube = ({ kubeconfig, version = '0', timeoutMs = 30_000 }: KubeOptions = {}): Kube => {
  const connection = createConnection(() => loadAccess(kubeconfig));
  const userAgent = `kco/${version}`;

  const actingAs = (user?: string): Kube => {
    const requests = createRequests(createTransport({ connection, userAgent, timeoutMs, user }));
    const objects = createObjectCalls(requests);
    return {
      server: connection.server,
      ...objects,
      ...createPodCalls(requests, objects),
      ...createDiscovery(requests),
      ...createAccessReviews(requests),
      exec: createExec({ connection, userAgent, user }),
      as: actingAs,
      close: connection.close,
    };
  };
  return actingAs();
};
