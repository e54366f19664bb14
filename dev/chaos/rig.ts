import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startAll } from '../../src/lifecycle/shutdown-stack.ts';
import { startApiProxy } from '../../test/support/api-proxy.ts';
import type { OperatorProcess } from '../../test/support/operator-under-test.ts';
import { type RealWorld, startWorld } from '../../test/support/real-world.ts';
import { startTemporalProxy } from '../../test/support/temporal-proxy.ts';
import { createTestStack } from '../../test/support/test-stack.ts';
import { Holds } from './holds.ts';
import { type Ledger, startLedger } from './ledger.ts';

/** A real world whose operator speaks with the API server and with Temporal through proxies that hold what they are told to. */
export interface Rig {
  world: RealWorld;
  ledger: Ledger;
  /** What is held from now on, in place of all before. */
  hold(holds: Holds): void;
  startOperator(): Promise<OperatorProcess>;
  stop(): Promise<void>;
}

const kubeconfigTo = (server: string, token: string): string =>
  stringify({
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });

/** Starts everything but the operator. */
export function startRig(): Promise<Rig> {
  const stack = createTestStack();
  return startAll(stack, async () => {
    const world = await startWorld({
      KCO_ENABLED_ACTIONS: 'exec_command,patch_resource,restart_pod,scale_deployment,webhook',
    });
    void stack.push('world', world.stop, 120_000);
    const { apiServer, ca, adminToken } = world.servers.kubernetes;
    let holds = new Holds();
    const api = await startApiProxy(apiServer, ca, (call) => holds.fateOf(call));
    void stack.push('api proxy', api.close);
    const temporal = await startTemporalProxy(world.servers.temporal.address, {
      keepsRequest: (...call) => holds.gate.keepsRequest(...call),
      empties: (...call) => holds.gate.empties(...call),
    });
    void stack.push('temporal proxy', temporal.close);
    const ledger = await startLedger(world);
    void stack.push('ledger', ledger.stop);
    const kubeconfig = join(world.execDir, 'kubeconfig-of-proxy');
    writeFileSync(kubeconfig, kubeconfigTo(api.url, adminToken));
    return {
      world,
      ledger,
      hold: (next) => {
        holds = next;
      },
      startOperator: () => world.spawnOperator({ KUBECONFIG: kubeconfig, KCO_TEMPORAL_ADDRESS: temporal.address }),
      stop: stack.end,
    };
  });
}
