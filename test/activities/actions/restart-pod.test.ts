import { describe, expect, it } from '@jest/globals';
import { createRestartPod } from '../../../src/activities/actions/restart-pod.ts';
import { type Kube, KubeError, type KubeObject } from '../../../src/clients/kube.ts';
import { pods } from '../../../src/clients/kube-pods.ts';
import { actionContext, podRef } from '../../support/action-context.ts';
import { podBudget, runDeployment, runningPods } from '../../support/cluster-objects.ts';
import { withCluster } from '../../support/with-cluster.ts';

let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});

const parameters = { evict: false, pods: 'triggering', allowUnmanaged: false } as const;
const restart = (...[request, context]: Parameters<typeof actionContext>) =>
  createRestartPod({ kube }).run(actionContext(request, context), parameters);
const uidsOf = (list: KubeObject[]) => list.map(({ metadata }) => metadata.uid);

describe('restart_pod', () => {
  it('restarts the triggering pod once, whatever the number of attempts', async () => {
    const before = await runDeployment(kube, 'once', 2);
    const request = { pods: [podRef(before[0])] };
    await expect(restart(request)).resolves.toMatchObject({ status: 'succeeded', reason: 'Restarted' });
    const after = await runningPods(kube, 'once', 2);
    await expect(restart(request, { attempt: 2 })).resolves.toMatchObject({
      status: 'succeeded',
      reason: 'AlreadyGone',
    });
    expect(uidsOf(await runningPods(kube, 'once', 2)).sort()).toEqual(uidsOf(after).sort());
    expect(uidsOf(after)).not.toContain(before[0]?.metadata.uid);
    expect(uidsOf(after)).toContain(before[1]?.metadata.uid);
  });

  it('leaves a pod alone that has taken over the name', async () => {
    const [pod] = await runDeployment(kube, 'namesake', 1);
    const outcome = await restart({ pods: [{ ...podRef(pod), uid: 'an-older-one' }] });
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'AlreadyGone' });
    expect(uidsOf(await runningPods(kube, 'namesake', 1))).toEqual([pod?.metadata.uid]);
  });

  it.each([
    ['pods: all', 'all', 'all-told'],
    ['an app that is polled as a whole', 'triggering', 'all-whole'],
  ] as const)(
    'restarts all matching pods for %s, but not what replaced them on an earlier attempt',
    async (_, which, app) => {
      const action = createRestartPod({ kube });
      const before = (await runDeployment(kube, app, 2)).map(podRef);
      const request = { pods: which === 'all' ? before.slice(0, 1) : [], at: Date.now() };
      const first = await action.run(actionContext(request, { matching: before }), { ...parameters, pods: which });
      expect(first).toMatchObject({ status: 'succeeded', reason: 'Restarted' });
      const after = (await runningPods(kube, app, 2)).map(podRef);
      const again = await action.run(actionContext(request, { matching: after, attempt: 2 }), {
        ...parameters,
        pods: which,
      });
      expect(again).toMatchObject({ status: 'succeeded', reason: 'AlreadyGone' });
      expect(uidsOf(await runningPods(kube, app, 2)).sort()).toEqual(after.map(({ uid }) => uid).sort());
    },
  );

  it('restarts on a later attempt what had been there long before the rule fired', async () => {
    const before = (await runDeployment(kube, 'late', 2)).map(podRef);
    const request = { at: Date.now() + 60_000 };
    await expect(restart(request, { matching: before, attempt: 2 })).resolves.toMatchObject({ reason: 'Restarted' });
  });

  it('gives the pod its grace period', async () => {
    const [pod] = await runDeployment(kube, 'graceful', 1);
    const { uid, name } = podRef(pod);
    const asked: unknown[] = [];
    const deletePod: Kube['deletePod'] = (...call) => {
      asked.push(call);
      return kube.deletePod(...call);
    };
    const spy: Kube = { ...kube, deletePod };
    await createRestartPod({ kube: spy }).run(actionContext({ pods: [{ uid, name }] }), {
      ...parameters,
      gracePeriod: 7,
    });
    expect(asked).toEqual([[{ namespace: 'default', name }, expect.objectContaining({ uid, gracePeriodSeconds: 7 })]]);
  });

  it('waits for a PodDisruptionBudget, and says so in a dry run', async () => {
    const [pod] = await runDeployment(kube, 'guarded', 1);
    await podBudget(kube, 'guarded', 1);
    const evict = { ...parameters, evict: true };
    const request = { pods: [podRef(pod)] };
    await expect(createRestartPod({ kube }).run(actionContext(request), evict)).rejects.toMatchObject({
      name: 'Wait',
      reason: 'DisruptionBudget',
      afterMs: 10_000,
    });
    const dry = await createRestartPod({ kube }).run(actionContext({ ...request, dryRun: true }), evict);
    expect(dry).toMatchObject({ status: 'dryRun', reason: 'DisruptionBudget' });
    expect(uidsOf(await runningPods(kube, 'guarded', 1))).toEqual([pod?.metadata.uid]);
  });

  it('restarts nothing in a dry run', async () => {
    const [pod] = await runDeployment(kube, 'dry', 1);
    await expect(restart({ pods: [podRef(pod)], dryRun: true })).resolves.toMatchObject({
      status: 'dryRun',
      reason: 'DryRun',
    });
    await expect(kube.get(pods, { namespace: 'default', name: podRef(pod).name })).resolves.not.toHaveProperty(
      'metadata.deletionTimestamp',
    );
  });

  it('says which account lacks which right, and how to check', async () => {
    const [pod] = await runDeployment(kube, 'forbidden', 1);
    const robot = kube.as('system:serviceaccount:default:robot');
    const outcome = await createRestartPod({ kube: robot }).run(actionContext({ pods: [podRef(pod)] }), {
      ...parameters,
      evict: true,
    });
    expect(outcome).toMatchObject({ status: 'refused', reason: 'Forbidden' });
    expect(outcome.message).toBe(
      'system:serviceaccount:default:robot may not create pods/eviction in namespace default; check with: ' +
        'kubectl auth can-i create pods --subresource=eviction -n default --as system:serviceaccount:default:robot',
    );
  });

  it('has nothing to restart when nothing matches', async () => {
    await expect(restart({})).resolves.toMatchObject({ status: 'failed', reason: 'NoMatchingPods' });
  });

  it.each([
    [new KubeError({ reason: 'ConnectFailed', message: 'x' }), { name: 'Wait', reason: 'ConnectFailed' }],
    [new KubeError({ reason: 'Aborted', message: 'x' }), { name: 'Retry', reason: 'Aborted' }],
    [
      new KubeError({ status: 429, reason: 'TooManyRequests', message: 'x', retryAfterMs: 3000 }),
      { name: 'Retry', afterMs: 3000 },
    ],
    [new KubeError({ status: 500, reason: 'InternalError', message: 'x' }), { name: 'Retry' }],
    [new TypeError('a fault of this program'), { name: 'TypeError' }],
  ])('throws what another attempt may mend: %s', async (error, thrown) => {
    const failing: Kube = { ...kube, deletePod: () => Promise.reject(error) };
    const run = createRestartPod({ kube: failing }).run(actionContext({ pods: [{ uid: 'u', name: 'p' }] }), parameters);
    await expect(run).rejects.toMatchObject(thrown);
  });

  it.each([
    [409, 'Conflict'],
    [422, 'Unprocessable'],
    [418, 'RequestFailed'],
  ])('reports what no attempt will mend as data: %d', async (status, reason) => {
    const error = new KubeError({ status, reason: 'Whatever', message: 'said the server' });
    const failing: Kube = { ...kube, deletePod: () => Promise.reject(error) };
    const run = createRestartPod({ kube: failing }).run(actionContext({ pods: [{ uid: 'u', name: 'p' }] }), parameters);
    await expect(run).resolves.toEqual({ status: 'failed', reason, message: 'said the server' });
  });
});
