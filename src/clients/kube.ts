import { createConnection } from './kube-connection.ts';
import { createDiscovery } from './kube-discovery.ts';
import { createExec } from './kube-exec.ts';
import { createObjectCalls } from './kube-objects.ts';
import { createPodCalls } from './kube-pods.ts';
import { createRequests } from './kube-request.ts';
import type { Kube, KubeOptions } from './kube-types.ts';
import { loadAccess } from './kubeconfig.ts';

export { hasStatus, isTransient, KubeError } from './kube-error.ts';
export type * from './kube-types.ts';
export { KubeconfigError } from './kubeconfig.ts';

/** A client of the API server that a kubeconfig names. Opens no connection before the first request. Throws `KubeconfigError`. */
export const createKube = ({ kubeconfig, version = '0', timeoutMs = 30_000 }: KubeOptions = {}): Kube => {
  const connection = createConnection(() => loadAccess(kubeconfig));
  const userAgent = `kco/${version}`;

  const actingAs = (user?: string): Kube => {
    const requests = createRequests({ connection, userAgent, timeoutMs, user });
    const objects = createObjectCalls(requests);
    return {
      server: connection.server,
      ...objects,
      ...createPodCalls(requests, objects),
      ...createDiscovery(requests),
      exec: createExec({ connection, userAgent, user }),
      as: actingAs,
      close: connection.close,
    };
  };
  return actingAs();
};
