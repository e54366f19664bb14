import { describe, expect, it } from '@jest/globals';
import { createScaleDeployment } from '../../../src/activities/actions/scale-deployment.ts';
import type { ScaleDeploymentParameters } from '../../../src/api/action-parameters.ts';
import type { Kube } from '../../../src/clients/kube.ts';
import { actionContext, podRef } from '../../support/action-context.ts';
import { runDeployment, runningPods, runStatefulSet } from '../../support/cluster-objects.ts';
import { withCluster } from '../../support/with-cluster.ts';

let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});

const scale = (parameters: Partial<ScaleDeploymentParameters>, ...context: Parameters<typeof actionContext>) =>
  createScaleDeployment({ kube }).run(actionContext(...context), { replicas: 2, kind: 'Deployment', ...parameters });

describe('scale_deployment', () => {
  it('scales the Deployment that owns the triggering pod, and does nothing the second time', async () => {
    const [pod] = await runDeployment(kube, 'owner', 1);
    const request = { pods: [podRef(pod)] };
    await expect(scale({}, request)).resolves.toMatchObject({
      status: 'succeeded',
      reason: 'Scaled',
      message: 'scaled Deployment owner from 1 to 2 replicas',
    });
    await runningPods(kube, 'owner', 2);
    await expect(scale({}, request, { attempt: 2 })).resolves.toMatchObject({
      status: 'succeeded',
      reason: 'AlreadyAtValue',
    });
  });

  it('asks the other pods for the owner when the triggering one is gone', async () => {
    const [pod] = await runDeployment(kube, 'survived', 1);
    const outcome = await scale({}, { pods: [{ uid: 'gone', name: 'gone' }] }, { matching: [podRef(pod)] });
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'Scaled' });
  });

  it('scales the Deployment or StatefulSet that it is told', async () => {
    await runDeployment(kube, 'told', 1);
    await expect(scale({ deployment: 'told' }, {})).resolves.toMatchObject({ reason: 'Scaled' });
    const [pod] = await runStatefulSet(kube, 'told-set', 1);
    const outcome = await scale({ kind: 'StatefulSet' }, { pods: [podRef(pod)] });
    expect(outcome.message).toBe('scaled StatefulSet told-set from 1 to 2 replicas');
    await runningPods(kube, 'told-set', 2);
  });

  it('scales nothing in a dry run', async () => {
    await runDeployment(kube, 'dry', 1);
    const outcome = await scale({ deployment: 'dry', replicas: 5 }, { dryRun: true });
    expect(outcome).toMatchObject({
      status: 'dryRun',
      reason: 'DryRun',
      message: 'would scale Deployment dry from 1 to 5 replicas',
    });
    await expect(kube.getScale({ kind: 'Deployment', namespace: 'default', name: 'dry' })).resolves.toBe(1);
  });

  it('does not guess between owners of an app that is polled as a whole', async () => {
    const matching = [...(await runDeployment(kube, 'left', 1)), ...(await runDeployment(kube, 'right', 1))].map(
      podRef,
    );
    await expect(scale({}, {}, { matching })).resolves.toMatchObject({ status: 'failed', reason: 'OwnerAmbiguous' });
  });

  it('does not scale a Deployment when a StatefulSet was meant', async () => {
    const [pod] = await runDeployment(kube, 'mistaken', 1);
    await expect(scale({ kind: 'StatefulSet' }, { pods: [podRef(pod)] })).resolves.toMatchObject({
      status: 'failed',
      reason: 'OwnerMismatch',
    });
  });

  it.each([
    [1, 'failed'],
    [2, 'unknown'],
  ])('does not claim to know when no pod is left to ask, on attempt %d', async (attempt, status) => {
    await expect(scale({ replicas: 0 }, {}, { attempt })).resolves.toMatchObject({ status, reason: 'OwnerNotFound' });
  });

  it('says so when there is no such Deployment', async () => {
    await expect(scale({ deployment: 'absent' }, {})).resolves.toMatchObject({ status: 'failed', reason: 'NotFound' });
  });

  it('says which account lacks which right', async () => {
    const robot = kube.as('system:serviceaccount:default:robot');
    const run = createScaleDeployment({ kube: robot }).run(actionContext({}), {
      replicas: 2,
      kind: 'Deployment',
      deployment: 'x',
    });
    const outcome = await run;
    expect(outcome).toMatchObject({ status: 'refused', reason: 'Forbidden' });
    expect(outcome.message).toContain(
      'kubectl auth can-i patch deployments.apps/x --subresource=scale -n default --as system:serviceaccount:default:robot',
    );
  });
});
