import { afterAll, beforeAll } from '@jest/globals';
import { type Servers, startServers } from '../../dev/servers/start-servers.ts';
import { createKube, type Kube } from '../../src/clients/kubernetes/client.ts';

/**
 * Gives a test file a Kubernetes of its own, which starts before its tests and stops after them. `take` is called with it
 * before the file's own `beforeAll`.
 */
export function withCluster(take: (kube: Kube) => void): void {
  let servers: Servers | undefined;
  let kube: Kube | undefined;
  beforeAll(async () => {
    servers = await startServers({ parts: 'kubernetes' });
    kube = createKube({ kubeconfig: servers.kubernetes.kubeconfig });
    take(kube);
  }, 600_000);
  afterAll(async () => {
    await kube?.close();
    await servers?.stop();
  });
}
