import { describe, expect, it } from '@jest/globals';
import { type Kube, KubeError, type KubeObject, type ResourceRef } from '../../../../src/clients/kubernetes/client.ts';
import { pods } from '../../../../src/clients/kubernetes/pods.ts';
import type { ActionOutcome } from '../../../../src/domain/target-app/action.ts';
import { podRef } from '../../../support/action-context.ts';
import { podBudget, runDeployment, runningPods } from '../../../support/cluster-objects.ts';
import { type Restarts, restartOnce, restartThrough, waitOf } from '../../../support/restarts.ts';
import { withCluster } from '../../../support/with-cluster.ts';

let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});

const namespace = 'default';
const restart = (app: string, rest: Partial<Restarts> = {}): Promise<ActionOutcome> =>
  restartOnce({ kube, app, ...rest });
const uidsOf = (list: KubeObject[]) => list.map(({ metadata }) => metadata.uid);
const podNamed = (name: string) => kube.get<KubeObject>(pods, { namespace, name });

describe('restart_pod', () => {
  it('restarts the triggering pod once, whatever the number of attempts', async () => {
    const before = await runDeployment(kube, 'once', 2);
    const triggering = [podRef(before[0])];
    await expect(restart('once', { pods: triggering })).resolves.toMatchObject({
      status: 'succeeded',
      reason: 'Restarted',
      message: `restarted: ${before[0]?.metadata.name}`,
    });
    const after = await runningPods(kube, 'once', 2);
    await expect(
      restart('once', { pods: triggering, context: { attempt: 2, mayBeDone: true } }),
    ).resolves.toMatchObject({ status: 'succeeded', reason: 'AlreadyGone' });
    expect(uidsOf(await runningPods(kube, 'once', 2)).sort()).toEqual(uidsOf(after).sort());
    expect(uidsOf(after)).not.toContain(before[0]?.metadata.uid);
    expect(uidsOf(after)).toContain(before[1]?.metadata.uid);
  });

  it('leaves a pod alone that has taken over the name', async () => {
    const [pod] = await runDeployment(kube, 'namesake', 1);
    const outcome = await restart('namesake', { pods: [{ ...podRef(pod), uid: 'an-older-one' }] });
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'AlreadyGone' });
    expect(uidsOf(await runningPods(kube, 'namesake', 1))).toEqual([pod?.metadata.uid]);
  });

  it('gives the pod its grace period', async () => {
    const [pod] = await runDeployment(kube, 'graceful', 1);
    const asked: unknown[] = [];
    const deletePod: Kube['deletePod'] = (...call) => {
      asked.push(call);
      return kube.deletePod(...call);
    };
    await restart('graceful', { kube: { ...kube, deletePod }, pods: [podRef(pod)], parameters: { gracePeriod: 7 } });
    const { uid, name } = podRef(pod);
    expect(asked).toEqual([[{ namespace, name }, expect.objectContaining({ uid, gracePeriodSeconds: 7 })]]);
  });

  it('waits for a PodDisruptionBudget by its name, and says so in a dry run', async () => {
    const [pod] = await runDeployment(kube, 'guarded', 1);
    await podBudget(kube, 'guarded', 1);
    const evicting = { pods: [podRef(pod)], parameters: { evict: true } };
    await expect(waitOf(restart('guarded', evicting))).resolves.toMatchObject({
      reason: 'DisruptionBudget',
      message: expect.stringContaining('The disruption budget guarded needs 1 healthy pods and has 1 currently'),
      afterMs: 10_000,
      begun: false,
    });
    await expect(waitOf(restart('guarded', { ...evicting, context: { mayBeDone: true } }))).resolves.toMatchObject({
      begun: true,
    });
    const dry = await restart('guarded', { ...evicting, request: { dryRun: true } });
    expect(dry).toMatchObject({ status: 'dryRun', reason: 'DisruptionBudget' });
    expect(uidsOf(await runningPods(kube, 'guarded', 1))).toEqual([pod?.metadata.uid]);
  });

  it.each([false, true])(
    'says in words that no pod of two PodDisruptionBudgets is evicted (dry run: %s)',
    async (dryRun) => {
      const app = `twice-guarded-${dryRun}`;
      const [pod] = await runDeployment(kube, app, 1);
      await podBudget(kube, app, 0);
      await podBudget(kube, app, 0, `${app}-too`);
      const outcome = await restart(app, { pods: [podRef(pod)], parameters: { evict: true }, request: { dryRun } });
      expect(outcome).toMatchObject({
        status: dryRun ? 'dryRun' : 'refused',
        reason: 'SeveralDisruptionBudgets',
        message: expect.stringContaining(`(${app}, ${app}-too)`),
      });
      await expect(restart(app, { pods: [podRef(pod)] })).resolves.toMatchObject({ reason: 'Restarted' });
    },
  );

  it('restarts nothing in a dry run', async () => {
    const [pod] = await runDeployment(kube, 'dry', 1);
    await expect(restart('dry', { pods: [podRef(pod)], request: { dryRun: true } })).resolves.toMatchObject({
      status: 'dryRun',
      reason: 'DryRun',
      message: `would restart: ${pod?.metadata.name}`,
    });
    await expect(podNamed(podRef(pod).name)).resolves.not.toHaveProperty('metadata.deletionTimestamp');
  });

  it('says which account lacks which right, and how to check', async () => {
    const [pod] = await runDeployment(kube, 'forbidden', 1);
    const { get, list } = kube;
    const robot: Kube = { ...kube.as('system:serviceaccount:default:robot'), get, list };
    const outcome = await restart('forbidden', { kube: robot, pods: [podRef(pod)], parameters: { evict: true } });
    expect(outcome).toMatchObject({ status: 'refused', reason: 'Forbidden' });
    expect(outcome.message).toBe(
      'system:serviceaccount:default:robot may not create pods/eviction in namespace default; check with: ' +
        'kubectl auth can-i create pods --subresource=eviction -n default --as system:serviceaccount:default:robot',
    );
  });

  it.each(['all', 'triggering'] as const)('has nothing to restart when nothing matches (pods: %s)', async (which) => {
    await expect(restart('absent', { parameters: { pods: which } })).resolves.toMatchObject({
      status: 'failed',
      reason: 'NoMatchingPods',
    });
  });

  it('never takes every pod for those that made a rule fire', async () => {
    const before = await runDeployment(kube, 'untouched', 2);
    await expect(restart('untouched')).resolves.toMatchObject({ reason: 'NoMatchingPods' });
    expect(uidsOf(await runningPods(kube, 'untouched', 2)).sort()).toEqual(uidsOf(before).sort());
  });
});

const replicaSets: ResourceRef = { apiVersion: 'apps/v1', kind: 'ReplicaSet', plural: 'replicasets', namespaced: true };
const nodes: ResourceRef = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

/** A pod by hand, and as somebody's where that is said. */
const runPod = async (name: string, owner?: KubeObject): Promise<KubeObject> => {
  const { apiVersion = '', kind = '', metadata } = owner ?? { metadata: { name: '', uid: '' } };
  const ownerReferences = owner ? [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }] : [];
  await kube.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: name }, ownerReferences },
    spec: { containers: [{ name: 'main', image: 'none' }] },
  });
  const [pod] = await runningPods(kube, name, 1);
  if (pod === undefined) throw new Error(`no pod ${name}`);
  return pod;
};

describe('restart_pod leaves a pod alone that nobody would create again', () => {
  it('when it has no controller, unless the rule allows it', async () => {
    const pod = await runPod('bare');
    const outcome = await restart('bare', { pods: [podRef(pod)] });
    expect(outcome).toEqual({
      status: 'refused',
      reason: 'Unmanaged',
      message:
        'nobody would create again: bare (it has no controller); parameters.allowUnmanaged: true deletes such pods all the same',
    });
    expect((await runningPods(kube, 'bare', 1))[0]?.metadata.uid).toBe(pod.metadata.uid);
    const dry = await restart('bare', { pods: [podRef(pod)], request: { dryRun: true } });
    expect(dry).toMatchObject({ status: 'dryRun', reason: 'Unmanaged' });
    const allowed = await restart('bare', { pods: [podRef(pod)], parameters: { allowUnmanaged: true } });
    expect(allowed).toEqual({
      status: 'succeeded',
      reason: 'Deleted',
      message: 'deleted: bare, for good (it has no controller)',
    });
    await runningPods(kube, 'bare', 0);
  });

  it('when its owner is being deleted', async () => {
    const [pod] = await runDeployment(kube, 'ending', 1);
    const owner = pod?.metadata.ownerReferences?.[0]?.name ?? '';
    const body = { metadata: { finalizers: ['test.example/held'] } };
    await kube.patch(replicaSets, { namespace, name: owner }, { type: 'merge', body });
    await kube.delete(replicaSets, { namespace, name: owner });
    const outcome = await restart('ending', { pods: [podRef(pod)] });
    expect(outcome).toMatchObject({
      status: 'refused',
      reason: 'Unmanaged',
      message: expect.stringContaining(`(ReplicaSet ${owner} is being deleted)`),
    });
  });

  it('when a node runs it by itself', async () => {
    const { items } = await kube.list<KubeObject>(nodes);
    const [node] = items;
    if (node === undefined) throw new Error('no node');
    const pod = await runPod('static', { ...node, apiVersion: 'v1', kind: 'Node' });
    await expect(restart('static', { pods: [podRef(pod)] })).resolves.toMatchObject({
      reason: 'Unmanaged',
      message: expect.stringContaining('it is a static pod'),
    });
  });

  it('and restarts the others that the rule is about', async () => {
    const [managed] = await runDeployment(kube, 'mixed', 1);
    const bare = await runPod('mixed-bare');
    const { outcome } = await restartThrough({ kube, app: 'mixed', pods: [podRef(bare), podRef(managed)] });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      reason: 'Restarted',
      message: expect.stringContaining(`restarted: ${managed?.metadata.name}; nobody would create again: mixed-bare`),
    });
    expect((await runningPods(kube, 'mixed-bare', 1))[0]?.metadata.uid).toBe(bare.metadata.uid);
  });
});

describe('restart_pod whose calls fail', () => {
  const failing = async (app: string, calls: Partial<Kube>, rest: Partial<Restarts> = {}) => {
    const [pod] = await runDeployment(kube, app, 1);
    return restart(app, { kube: { ...kube, ...calls }, pods: [podRef(pod)], ...rest });
  };

  it.each<[string, KubeError | TypeError, object]>([
    [
      'away',
      new KubeError({ reason: 'ConnectFailed', message: 'x' }),
      { name: 'Wait', reason: 'ConnectFailed', begun: false },
    ],
    [
      'busy',
      new KubeError({ status: 429, reason: 'TooManyRequests', message: 'x', retryAfterMs: 3000 }),
      { name: 'Wait', afterMs: 3000, begun: false },
    ],
    ['lost', new KubeError({ reason: 'ConnectionLost', message: 'x' }), { name: 'Retry', reason: 'ConnectionLost' }],
    ['stopped', new KubeError({ reason: 'Aborted', message: 'x' }), { name: 'Retry', reason: 'Aborted' }],
    ['broken', new KubeError({ status: 500, reason: 'InternalError', message: 'x' }), { name: 'Retry' }],
    ['wrong', new TypeError('a fault of this program'), { name: 'TypeError' }],
  ])('throws what another attempt may mend, and says what is surely not done: %s', async (what, error, thrown) => {
    await expect(failing(`mended-${what}`, { deletePod: () => Promise.reject(error) })).rejects.toMatchObject(thrown);
  });

  it.each(['get', 'list'] as const)('waits when it cannot even look (%s): nothing was done', async (call) => {
    const error = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'x' });
    const calls = { [call]: () => Promise.reject(error) };
    await expect(failing(`blind-${call}`, calls)).rejects.toMatchObject({
      name: 'Wait',
      reason: 'ServiceUnavailable',
      begun: false,
    });
    const again = failing(`blinded-${call}`, calls, { context: { attempt: 2, mayBeDone: true } });
    await expect(again).rejects.toMatchObject({ name: 'Wait', begun: true });
  });

  it.each([
    [409, 'Conflict'],
    [422, 'Unprocessable'],
    [418, 'RequestFailed'],
  ])('reports what no attempt will mend as data: %d', async (status, reason) => {
    const error = new KubeError({ status, reason: 'Whatever', message: 'said the server' });
    const outcome = await failing(`reported-${status}`, { deletePod: () => Promise.reject(error) });
    expect(outcome).toEqual({ status: 'failed', reason, message: 'said the server' });
  });
});
