import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Wait } from '../../../../src/activities/target-app/actions/action.ts';
import { createScaleDeployment } from '../../../../src/activities/target-app/actions/scale-deployment.ts';
import type { ScaleDeploymentParameters } from '../../../../src/api/target-app/action-parameters.ts';
import { type Kube, KubeError, type KubeObject, type ResourceRef } from '../../../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../../../src/domain/json.ts';
import type { ActionOutcome } from '../../../../src/domain/target-app/action.ts';
import { actionContext, podRef } from '../../../support/action-context.ts';
import { runDeployment, runningPods, runStatefulSet } from '../../../support/cluster-objects.ts';
import { until } from '../../../support/until.ts';
import { withCluster } from '../../../support/with-cluster.ts';

let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});

/** Scales as a workflow does, which asks again where somebody (a controller of Kubernetes) has written meanwhile. */
const scale = (
  parameters: Partial<ScaleDeploymentParameters>,
  ...context: Parameters<typeof actionContext>
): Promise<ActionOutcome> => scaleBy(kube, parameters, ...context);

/** The same by a client that is special. */
async function scaleBy(
  client: Kube,
  parameters: Partial<ScaleDeploymentParameters>,
  ...context: Parameters<typeof actionContext>
): Promise<ActionOutcome> {
  for (;;) {
    try {
      const wanted = { replicas: 2, kind: 'Deployment' as const, ...parameters };
      return await createScaleDeployment({ kube: client }).run(actionContext(...context), wanted);
    } catch (error) {
      if (!(error instanceof Wait && error.reason === 'Conflict')) throw error;
      await delay(error.afterMs);
    }
  }
}

const namespace = 'default';
const scaleOf = (name: string) => kube.getScale({ kind: 'Deployment', namespace, name });

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
    await expect(kube.getScale({ kind: 'Deployment', namespace: 'default', name: 'dry' })).resolves.toMatchObject({
      replicas: 1,
    });
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

const autoscalers: ResourceRef = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
};

/** An autoscaler of its own name for a Deployment that is not there, so that it scales nothing by itself. */
const autoscaled = async (name: string, minReplicas: number, ref: object = {}): Promise<void> => {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name, ...ref };
  const spec = { scaleTargetRef, minReplicas, maxReplicas: minReplicas + 5 };
  await kube.create(autoscalers, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { namespace, name: `hpa-of-${name}` },
    spec,
  });
};
/** Answers as if a Deployment had so many replicas, and fails when it is scaled. */
const having = (replicas: number): Kube => ({
  ...kube,
  getScale: async () => ({ replicas, resourceVersion: '1' }),
  setScale: () => Promise.reject(new Error('it is scaled')),
});

describe('scale_deployment beside a HorizontalPodAutoscaler', () => {
  it.each([false, true])('names the one that would undo it, and does nothing (dry run: %s)', async (dryRun) => {
    const name = `kept-${dryRun}`;
    await runDeployment(kube, name, 1);
    await autoscaled(name, 5);
    const outcome = await scale({ deployment: name, replicas: 2 }, { dryRun });
    expect(outcome).toMatchObject({ status: dryRun ? 'dryRun' : 'refused', reason: 'ScaledByHPA' });
    expect(outcome.message).toContain(
      `the HorizontalPodAutoscaler hpa-of-${name} keeps Deployment ${name} between 5 and 10 replicas and would undo`,
    );
    expect(outcome.message).toContain('change its minReplicas and maxReplicas instead, or delete it');
  });

  it.each([
    ['within its range, from one number to another', 6, 7],
    ['on, but below its range', 0, 4],
    ['on, above its range', 0, 11],
  ])('does not scale %s', async (what, before, replicas) => {
    const name = `ranged-${what.length}`;
    await autoscaled(name, 5);
    const run = createScaleDeployment({ kube: having(before) });
    await expect(run.run(actionContext({}), { kind: 'Deployment', deployment: name, replicas })).resolves.toMatchObject(
      { reason: 'ScaledByHPA' },
    );
  });

  it('switches off and on again, during which the autoscaler stands still', async () => {
    await runDeployment(kube, 'switched', 1);
    await autoscaled('switched', 1);
    await expect(scale({ deployment: 'switched', replicas: 0 }, {})).resolves.toMatchObject({
      reason: 'Scaled',
      message: expect.stringContaining('hpa-of-switched stands still until there are replicas again'),
    });
    await expect(scale({ deployment: 'switched', replicas: 2 }, {})).resolves.toMatchObject({
      reason: 'Scaled',
      message: expect.stringContaining('hpa-of-switched keeps Deployment switched between 1 and 6 replicas'),
    });
  });

  it.each([
    ['another name', { name: 'another' }],
    ['another kind', { kind: 'StatefulSet' }],
    ['another group', { apiVersion: 'example.com/v1' }],
  ])('scales what only has %s in common with its target', async (what, ref) => {
    const name = `free-${what.replace(' ', '-')}`;
    await runDeployment(kube, name, 1);
    await autoscaled(name, 5, ref);
    await expect(scale({ deployment: name }, {})).resolves.toMatchObject({ reason: 'Scaled' });
  });

  it('scales where it may not look for one, and says so', async () => {
    await runDeployment(kube, 'unseen', 1);
    const list = () => Promise.reject(new KubeError({ status: 403, reason: 'Forbidden', message: 'no' }));
    const outcome = await scaleBy({ ...kube, list }, { deployment: 'unseen' }, {});
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'Scaled' });
    expect(outcome.message).toContain('whether a HorizontalPodAutoscaler undoes it is not known');
  });
});

describe('scale_deployment beside others', () => {
  interface Deployment extends KubeObject {
    status?: { observedGeneration?: number; replicas?: number };
  }
  const deployments: ResourceRef = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    plural: 'deployments',
    namespaced: true,
  };
  const merge = (name: string, body: JsonObject) =>
    kube.patch(deployments, { namespace, name }, { type: 'merge', body });

  /** Somebody does something each time between what is read and what is written. */
  const interrupted = (name: string, what: (call: number) => Promise<unknown>) => {
    let calls = 0;
    const setScale: Kube['setScale'] = async (...call) => {
      calls += 1;
      await what(calls);
      return kube.setScale(...call);
    };
    return createScaleDeployment({ kube: { ...kube, setScale } }).run(actionContext({}), {
      kind: 'Deployment',
      deployment: name,
      replicas: 4,
    });
  };
  const labelled = (name: string) => (call: number) => merge(name, { metadata: { labels: { call: String(call) } } });

  it('does not overwrite what was scaled after it had looked', async () => {
    await runDeployment(kube, 'overtaken', 1);
    const outcome = await interrupted('overtaken', () => merge('overtaken', { spec: { replicas: 3 } }));
    expect(outcome).toMatchObject({
      status: 'failed',
      reason: 'Conflict',
      message: 'Deployment overtaken was scaled from 1 to 3 by another in the meantime, and is left so',
    });
    await expect(scaleOf('overtaken')).resolves.toMatchObject({ replicas: 3 });
  });

  it('finds the work done that another did at the same time', async () => {
    await runDeployment(kube, 'shared', 1);
    const outcome = await interrupted('shared', () => merge('shared', { spec: { replicas: 4 } }));
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'AlreadyAtValue' });
  });

  it('looks again when something else has changed, and waits when that goes on', async () => {
    await runDeployment(kube, 'busy', 1);
    const once = (call: number) => (call === 1 ? labelled('busy')(call) : Promise.resolve());
    await expect(interrupted('busy', once)).resolves.toMatchObject({ status: 'succeeded', reason: 'Scaled' });
    await runDeployment(kube, 'restless', 1);
    await expect(interrupted('restless', labelled('restless'))).rejects.toMatchObject({
      name: 'Wait',
      reason: 'Conflict',
      begun: false,
    });
    await expect(scaleOf('restless')).resolves.toMatchObject({ replicas: 1 });
  });

  it('does not scale what is being deleted', async () => {
    await runDeployment(kube, 'ending', 1);
    await merge('ending', { metadata: { finalizers: ['test.example/held'] } });
    await kube.delete(deployments, { namespace, name: 'ending' });
    await expect(scale({ deployment: 'ending' }, {})).resolves.toMatchObject({
      status: 'refused',
      reason: 'BeingDeleted',
    });
  });

  it('says that a rollout goes on', async () => {
    await runDeployment(kube, 'changed', 3);
    const nodeSelector = { 'test.example/none': 'yes' };
    await merge('changed', { spec: { template: { spec: { nodeSelector } } } });
    await until('the rollout has begun, and its controller says so', async () => {
      const found = await kube.get<Deployment>(deployments, { namespace, name: 'changed' });
      return found?.status?.observedGeneration === found?.metadata.generation && found?.status?.replicas === 4;
    });
    const outcome = await scale({ deployment: 'changed', replicas: 5 }, {});
    expect(outcome).toMatchObject({ reason: 'Scaled', message: expect.stringContaining('is being rolled out') });
  });

  it('waits when it cannot even look: nothing was done', async () => {
    const error = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'x' });
    for (const call of ['getScale', 'list', 'get'] as const) {
      const blind: Kube = { ...having(1), [call]: () => Promise.reject(error) };
      const run = createScaleDeployment({ kube: blind }).run(actionContext({}), {
        kind: 'Deployment',
        deployment: 'x',
        replicas: 2,
      });
      await expect(run).rejects.toMatchObject({ name: 'Wait', reason: 'ServiceUnavailable', begun: false });
    }
    const lost: Kube = { ...having(1), setScale: () => Promise.reject(error) };
    const run = createScaleDeployment({ kube: lost }).run(actionContext({}), {
      kind: 'Deployment',
      deployment: 'x',
      replicas: 2,
    });
    await expect(run).rejects.toMatchObject({ name: 'Retry' });
  });
});
