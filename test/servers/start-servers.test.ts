import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { createToolLocator } from '../../dev/servers/locate-tool.ts';
import { ServerFailed } from '../../dev/servers/server-process.ts';
import { type Servers, startServers } from '../../dev/servers/start-servers.ts';
import { clientsOf, openExec, runDeployment, runningPods } from './pod-exec.ts';
import { eventually, isAlive } from './processes.ts';

const buildsMs = 900_000;
let servers: Servers;

beforeAll(async () => {
  servers = await startServers({ nodes: 2, searchAttributes: { Colour: 'Keyword' } });
}, buildsMs);

afterAll(async () => {
  const pids = Object.values(servers.pids());
  await servers.stop();
  expect(pids.filter(isAlive)).toEqual([]);
});

/** Answers each request with the address it was reached on. */
async function echoAddress() {
  const server = createServer((request, response) => response.end(request.socket.localAddress));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '0.0.0.0', resolve);
  await promise;
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('the Kubernetes part', () => {
  it('runs the pods of a Deployment under loopback addresses where one process answers for each', async () => {
    const pods = await runDeployment(servers.kubernetes.kubeconfig, 'echo', 3);
    const addresses = pods.map(({ status }) => status?.podIP ?? '');
    const echo = await echoAddress();
    const answers = await Promise.all(addresses.map(async (ip) => (await fetch(`http://${ip}:${echo.port}`)).text()));
    echo.close();
    expect(new Set(addresses).size).toBe(3);
    expect(answers).toEqual(addresses);
    const prefix = servers.kubernetes.podCidr.replace(/\.0\/24$/, '.');
    expect(addresses.filter((ip) => !ip.startsWith(prefix))).toEqual([]);
  });

  it('scales a Deployment and replaces an evicted pod', async () => {
    const { kubeconfig } = servers.kubernetes;
    const { apps, core } = clientsOf(kubeconfig);
    const [first] = await runDeployment(kubeconfig, 'scaled', 1);
    const name = first?.metadata?.name ?? '';
    await apps.patchNamespacedDeploymentScale({
      namespace: 'default',
      name: 'scaled',
      body: [{ op: 'replace', path: '/spec/replicas', value: 2 }],
    });
    await runningPods(kubeconfig, 'scaled', 2);
    await core.createNamespacedPodEviction({ namespace: 'default', name, body: { metadata: { name } } });
    // An evicted pod is listed until its node has let go of it, and the count may be right before the evicted one leaves.
    await eventually('the evicted pod is gone', async () => {
      const { items } = await core.listNamespacedPod({ namespace: 'default', labelSelector: 'app=scaled' });
      return items.every(({ metadata }) => metadata?.uid !== first?.metadata?.uid);
    });
    await expect(runningPods(kubeconfig, 'scaled', 2)).resolves.toHaveLength(2);
  });

  it('runs a command that is executed in a pod, in the working directory, and tells success from failure', async () => {
    const { kubeconfig } = servers.kubernetes;
    const good = await openExec(kubeconfig, ['sh', '-c', 'pwd; echo "$0"', 'a b']);
    await expect(good.status).resolves.toMatchObject({ status: 'Success' });
    expect(good.output()).toBe(`${servers.stateDir}/exec\na b\n`);
    const bad = await openExec(kubeconfig, ['sh', '-c', 'exit 3']);
    await expect(bad.status).resolves.toMatchObject({
      status: 'Failure',
      message: expect.stringContaining('exit status 3'),
    });
  });

  it('lets RBAC decide what other users and ServiceAccounts may do', async () => {
    const { kubernetes } = servers;
    const list = (file: string) => clientsOf(file).core.listNamespacedPod({ namespace: 'default' });
    const account = await kubernetes.serviceAccountKubeconfig('default', 'default');
    const viewer = await kubernetes.kubeconfigFor('someone', ['viewers']);
    await expect(list(account)).rejects.toMatchObject({ code: 403 });
    await expect(list(viewer)).rejects.toMatchObject({ code: 403 });
    await clientsOf(kubernetes.kubeconfig)
      .config.makeApiClient(RbacAuthorizationV1Api)
      .createClusterRoleBinding({
        body: {
          metadata: { name: 'viewers' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
          subjects: [
            { kind: 'Group', name: 'viewers', apiGroup: 'rbac.authorization.k8s.io' },
            { kind: 'ServiceAccount', name: 'default', namespace: 'default' },
          ],
        },
      });
    await expect(list(viewer)).resolves.toHaveProperty('items');
    await expect(list(account)).resolves.toHaveProperty('items');
  });

  it('keeps port and data when the API server is killed and restarted', async () => {
    const { kubeconfig } = servers.kubernetes;
    const { core } = clientsOf(kubeconfig);
    await core.createNamespacedConfigMap({
      namespace: 'default',
      body: { metadata: { name: 'kept' }, data: { a: 'b' } },
    });
    const before = servers.pids();
    await servers.kill('kube-apiserver');
    await expect(core.listNode()).rejects.toThrow();
    await servers.restart('kube-apiserver');
    await expect(core.readNamespacedConfigMap({ namespace: 'default', name: 'kept' })).resolves.toMatchObject({
      data: { a: 'b' },
    });
    expect(servers.pids()).toEqual({ ...before, 'kube-apiserver': expect.any(Number) });
    expect(servers.pids()['kube-apiserver']).not.toBe(before['kube-apiserver']);
    await runDeployment(kubeconfig, 'after-restart', 1);
  });
});

describe('the Temporal part', () => {
  const workflow = { taskQueue: 'nobody', workflowId: 'searchable', args: [] };

  async function client() {
    const connection = await Connection.connect({ address: servers.temporal.address });
    return new Client({ connection, namespace: servers.temporal.namespace });
  }

  it('starts workflows with search attributes and has a Web UI', async () => {
    const { workflow: workflows, connection } = await client();
    const handle = await workflows.start('anything', { ...workflow, searchAttributes: { Colour: ['blue'] } });
    await expect(handle.describe()).resolves.toMatchObject({ status: { name: 'RUNNING' } });
    expect((await fetch(servers.temporal.uiUrl ?? '')).status).toBe(200);
    await connection.close();
  });

  it('is silent while paused and answers again when resumed', async () => {
    const { connection } = await client();
    const answer = () => connection.workflowService.getSystemInfo({});
    await servers.pause('temporal');
    const silent = answer();
    await expect(Promise.race([silent, delay(500, 'nothing')])).resolves.toBe('nothing');
    await servers.resume('temporal');
    await expect(silent).resolves.toHaveProperty('serverVersion');
    await connection.close();
  });

  it('keeps workflows over a restart and forgets them when wiped, at the same address', async () => {
    const { workflow: workflows, connection } = await client();
    const handle = await workflows.start('anything', { ...workflow, workflowId: 'restarted' });
    await servers.restart('temporal');
    await expect(handle.describe()).resolves.toMatchObject({ status: { name: 'RUNNING' } });
    await servers.wipeTemporal();
    await expect(handle.describe()).rejects.toBeInstanceOf(WorkflowNotFoundError);
    await connection.close();
  });
});

describe('two sets side by side', () => {
  it('have ports and pod addresses of their own', async () => {
    const other = await startServers({ parts: 'kubernetes' });
    expect(other.kubernetes.podCidr).not.toBe(servers.kubernetes.podCidr);
    const [pod] = await runDeployment(other.kubernetes.kubeconfig, 'only-there', 1);
    const { core } = clientsOf(servers.kubernetes.kubeconfig);
    const here = await core.listNamespacedPod({ namespace: 'default', labelSelector: 'app=only-there' });
    expect([pod?.status?.phase, here.items]).toEqual(['Running', []]);
    expect(() => other.temporal).toThrow('Temporal was not started');
    await Promise.all([other.stop(), other.stop()]);
    expect(existsSync(other.stateDir)).toBe(false);
  });
});

describe('a set that cannot start', () => {
  it('names the server that ended and leaves nothing running', async () => {
    const real = createToolLocator();
    const locator = { ...real, locate: async () => '/bin/false' };
    const starting = startServers({ parts: 'kubernetes', locator });
    await expect(starting).rejects.toBeInstanceOf(ServerFailed);
    await expect(starting).rejects.toThrow(/^(etcd|kube-apiserver) has ended \(exit code 1\)/);
  });
});
