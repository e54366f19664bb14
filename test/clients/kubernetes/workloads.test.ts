import { describe, expect, it } from '@jest/globals';
import { type Kube, KubeError, type KubeObject, type OwnerReference } from '../../../src/clients/kubernetes/client.ts';
import { lookAtWorkload, type PodObject, podLife } from '../../../src/clients/kubernetes/workloads.ts';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const time = (seconds: number): number => Date.parse(at(seconds));

describe('a pod', () => {
  const podOf = (given: Partial<PodObject['status']> = {}, spec: PodObject['spec'] = {}, metadata: object = {}) =>
    podLife({
      metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: at(0), ...metadata },
      spec,
      status: { phase: 'Running', startTime: at(10), ...given },
    });
  const ready = (status: string, since: number) => ({
    conditions: [{ type: 'Ready', status, lastTransitionTime: at(since) }],
  });

  it.each([
    ['is Ready', ready('True', 20), { ready: true, wasReady: true, readySince: time(20) }],
    ['was Ready', ready('False', 20), { ready: false, wasReady: true, readySince: time(20) }],
    ['was never Ready', ready('False', 10), { ready: false, wasReady: false }],
    ['was never Ready, told with a delay', ready('False', 11), { ready: false, wasReady: false }],
    ['was Ready and its node is lost', ready('Unknown', 500), { ready: false, wasReady: true }],
    [
      'has no node yet',
      { phase: 'Pending', startTime: undefined },
      { wasReady: false, running: false, startedAt: time(0) },
    ],
    ['has finished', { phase: 'Failed' }, { alive: false }],
    [
      'began when its containers did, not when its images were pulled',
      { containerStatuses: [{ state: { running: { startedAt: at(200) } } }] },
      { startedAt: time(200) },
    ],
    [
      'began when it did, however often a container was started again',
      { containerStatuses: [{ restartCount: 2, state: { running: { startedAt: at(200) } } }] },
      { startedAt: time(10) },
    ],
  ])('that %s', (_, status, life) => {
    expect(podOf(status)).toMatchObject(life);
  });

  it('that is being deleted is not alive, and says when it is to be gone', () => {
    expect(podOf({}, {}, { deletionTimestamp: at(60) })).toMatchObject({ alive: false, deletedAt: time(60) });
  });

  it('is given what its startupProbes allow, its sidecars first and one by one', () => {
    const app = { name: 'app', startupProbe: { initialDelaySeconds: 5, periodSeconds: 10, failureThreshold: 60 } };
    expect(podOf({}, { containers: [{}, app] }).startupMs).toBe(605_000);
    const proxy = { restartPolicy: 'Always', startupProbe: { periodSeconds: 1, failureThreshold: 30 } };
    const task = { startupProbe: { periodSeconds: 1000 } };
    expect(podOf({}, { containers: [app], initContainers: [proxy, proxy, task] }).startupMs).toBe(665_000);
    expect(podOf({}, { containers: [{}] })).not.toHaveProperty('startupMs');
  });
});

const owner = (kind: string, name = 'web', apiVersion = 'apps/v1'): OwnerReference => ({
  apiVersion,
  kind,
  name,
  uid: `uid of ${kind}`,
  controller: true,
});

/** What stands behind a pod of this controller, in a cluster that has these objects and no others. */
const behind = async (controller: OwnerReference, objects: Record<string, object | KubeError>) => {
  const get = async ({ kind }: { kind: string }) => {
    const found = objects[kind];
    if (found instanceof Error) throw found;
    return found && { metadata: { name: 'web', uid: `uid of ${kind}`, generation: 1 }, ...found };
  };
  const kube = { get, list: async () => ({ items: [] }) } as unknown as Pick<Kube, 'get' | 'list'>;
  const pod: KubeObject = { metadata: { name: 'p', uid: 'u', resourceVersion: '1', ownerReferences: [controller] } };
  const looking = { namespace: 'default', selector: {}, signal: new AbortController().signal };
  const looked = await lookAtWorkload(kube, pod, looking);
  return { ...looked?.workload, unread: looked?.unread };
};

const ofDeployment = { metadata: { name: 'web-1', uid: 'uid of ReplicaSet', ownerReferences: [owner('Deployment')] } };
const deployment = (status: object, spec: object = {}) => ({
  ReplicaSet: ofDeployment,
  Deployment: {
    spec: { replicas: 3, ...spec },
    status: { observedGeneration: 1, replicas: 3, updatedReplicas: 3, ...status },
  },
});
const job = (spec: object, ...conditions: string[]) => ({
  Job: { spec, status: { failed: 1, conditions: conditions.map((type) => ({ type, status: 'True' })) } },
});
const isJob = owner('Job', 'j', 'batch/v1');

describe('behind a pod', () => {
  it.each([
    ['a Deployment behind its ReplicaSet', owner('ReplicaSet'), deployment({}), { name: 'Deployment web', desired: 3 }],
    [
      'a ReplicaSet of its own',
      owner('ReplicaSet'),
      { ReplicaSet: { spec: { replicas: 2 } } },
      { name: 'ReplicaSet web', desired: 2 },
    ],
    ['a StatefulSet', owner('StatefulSet'), { StatefulSet: { spec: {} } }, { name: 'StatefulSet web', desired: 1 }],
    ['a DaemonSet', owner('DaemonSet'), { DaemonSet: { status: { desiredNumberScheduled: 7 } } }, { desired: 7 }],
    [
      'a ReplicationController',
      owner('ReplicationController', 'web', 'v1'),
      { ReplicationController: { spec: { replicas: 4 } } },
      { desired: 4 },
    ],
    ['a Job that goes on', isJob, job({ backoffLimit: 6 }), { name: 'Job j' }],
    ['a kind that KCO does not know', owner('PodSet', 'db', 'core.example.com/v1'), {}, { name: 'PodSet db' }],
    [
      'a kind of that name in another group',
      owner('Deployment', 'db', 'core.example.com/v1'),
      {},
      { name: 'Deployment db' },
    ],
  ])('stands %s, and replaces it', async (_, controller, objects, workload) => {
    const found = await behind(controller, objects);
    expect(found).toMatchObject(workload);
    for (const name of ['noReplacement', 'rollout']) expect(found).not.toHaveProperty(name);
  });

  it.each([
    ['that is gone', owner('StatefulSet'), {}, 'is gone'],
    [
      'whose name another one has by now',
      owner('StatefulSet'),
      { StatefulSet: { metadata: { uid: 'another' } } },
      'is gone',
    ],
    [
      'that is being deleted',
      owner('DaemonSet'),
      { DaemonSet: { metadata: { uid: 'uid of DaemonSet', deletionTimestamp: at(0) } } },
      'is being deleted',
    ],
    ['whose Deployment is gone', owner('ReplicaSet'), { ReplicaSet: ofDeployment }, 'is gone'],
    ['that is scaled to 0', owner('ReplicaSet'), deployment({}, { replicas: 0 }), 'is scaled to 0 replicas'],
    ['that is complete', isJob, job({}, 'Complete'), 'is finished'],
    ['that has failed', isJob, job({}, 'Failed'), 'is finished'],
    ['that is suspended', isJob, job({ suspend: true }), 'is suspended'],
    [
      'that may lose no further pod',
      isJob,
      job({ backoffLimit: 1 }),
      'would fail: its backoffLimit allows 1 lost pods',
    ],
    ['that is a node: a static pod', owner('Node', 'n', 'v1'), {}, 'runs it by itself: it is a static pod'],
  ])('stands nobody who would replace it, but one %s', async (_, controller, objects, words) => {
    expect((await behind(controller, objects)).noReplacement).toContain(words);
  });

  it.each([
    [
      'pods of an older version are left',
      deployment({ replicas: 4, updatedReplicas: 1 }),
      'is being rolled out: 3 of 4 pods are of an older version',
    ],
    ['it has just been changed', deployment({ observedGeneration: 0 }), 'was changed a moment ago'],
  ])('stands a Deployment in a rollout, while %s', async (_, objects, words) => {
    expect((await behind(owner('ReplicaSet'), objects)).rollout).toBe(words);
  });

  it.each([
    ['is paused', deployment({ updatedReplicas: 1 }, { paused: true })],
    [
      'did not get on in time',
      deployment({
        updatedReplicas: 1,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
      }),
    ],
    ['lacks a pod of the present version only', deployment({ replicas: 2, updatedReplicas: 2 })],
  ])('stands a Deployment in no rollout, when it %s', async (_, objects) => {
    expect(await behind(owner('ReplicaSet'), objects)).not.toHaveProperty('rollout');
  });

  it('stands what the operator may not look at, which is taken to replace its pods', async () => {
    const forbidden = new KubeError({ status: 403, reason: 'Forbidden', message: 'no' });
    const found = await behind(owner('ReplicaSet'), { ReplicaSet: ofDeployment, Deployment: forbidden });
    expect(found).toMatchObject({ name: 'ReplicaSet web', unread: 'deployments' });
    expect(await behind(owner('StatefulSet'), { StatefulSet: forbidden })).toMatchObject({
      name: 'StatefulSet web',
      unread: 'statefulsets',
    });
  });

  it('stands nobody, without a controller among its owners', async () => {
    expect(await behind({ ...owner('StatefulSet'), controller: false }, {})).toEqual({ unread: undefined });
  });
});
