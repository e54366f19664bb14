import { afterAll, beforeAll } from '@jest/globals';
import { startServers } from '../../dev/servers/start-servers.ts';
import { createKube, type Kube } from '../../src/clients/kubernetes/client.ts';
import { createTestStack } from './test-stack.ts';

/**
 * Gives a test file a Kubernetes of its own, which starts before its tests and stops after them. `take` is called with it
 * before the file's own `beforeAll`.
 */
export function withCluster(take: (kube: Kube) => void): void {
  const stack = createTestStack();
  beforeAll(async () => {
    const servers = await startServers({ parts: 'kubernetes' });
    await stack.push('servers', servers.stop, 60_000);
    const kube = createKube({ kubeconfig: servers.kubernetes.kubeconfig });
    await stack.push('kubernetes connection', kube.close);
    take(kube);
  }, 600_000);
  afterAll(stack.end);
}
