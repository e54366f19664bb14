import { describe, expect, it } from '@jest/globals';
import type { Wait } from '../../../../src/activities/target-app/actions/action.ts';
import { createRestartPod } from '../../../../src/activities/target-app/actions/restart-pod.ts';
import type { Kube, KubeObject, ResourceRef } from '../../../../src/clients/kubernetes/client.ts';
import { pods } from '../../../../src/clients/kubernetes/pods.ts';
import type { JsonObject } from '../../../../src/domain/json.ts';
import { actionContext, podRef } from '../../../support/action-context.ts';
import {
  gated,
  notReady,
  release,
  runDeployment,
  runningPods,
  runStatefulSet,
  type TestPod,
} from '../../../support/cluster-objects.ts';
import { byDefault, type Restarts, restartOnce, restartThrough, waitOf } from '../../../support/restarts.ts';
import { until } from '../../../support/until.ts';
import { withCluster } from '../../../support/with-cluster.ts';

let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});

const namespace = 'default';
const deployments: ResourceRef = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
const minute = 60_000;
const all = { pods: 'all' } as const;

const uidsOf = (list: KubeObject[]) => list.map(({ metadata }) => metadata.uid).sort();
const present = async (app: string): Promise<TestPod[]> =>
  (await kube.list<TestPod>(pods, { namespace, labelSelector: `app=${app}` })).items;
const nameOf = (pod: KubeObject | undefined): string => pod?.metadata.name ?? '';
const merge = (ref: ResourceRef, name: string, body: JsonObject) =>
  kube.patch(ref, { namespace, name }, { type: 'merge', body });

/** Pods of whom the replacements can be told by their creation. */
const aged = async (app: string): Promise<TestPod[]> =>
  until(`the pods of ${app} are two seconds old`, async () => {
    const all = await present(app);
    return all.every(({ metadata }) => Date.now() - Date.parse(metadata.creationTimestamp ?? '') >= 2000) && all;
  });
/** Three pods whose replacements do not start before `release`. */
const runGated = async (app: string, replicas = 3): Promise<TestPod[]> => {
  await runDeployment(kube, app, replicas, gated);
  await release(kube, app, replicas);
  return aged(app);
};

describe('restart_pod of several pods', () => {
  it.each([
    ['all that the selector matches', 'all-told', (): Partial<Restarts> => ({ parameters: all })],
    ['several that made the rule fire', 'several', (before: TestPod[]) => ({ pods: before.map(podRef) })],
  ] as const)('goes on with the next when the last is replaced and Ready: %s', async (_, app, rest) => {
    const before = await runGated(app);
    const restarts: Restarts = { kube, app, ...rest(before) };
    let wait = await waitOf(restartOnce(restarts));
    for (const left of [2, 1]) {
      expect(wait).toMatchObject({
        reason: 'Rolling',
        message: expect.stringContaining(`${left} to go, one after the other`),
        begun: true,
      });
      // As often as it is asked while the replacement has not come up, nothing more is done.
      wait = await waitOf(restartOnce(restarts, wait));
      wait = await waitOf(restartOnce(restarts, wait));
      expect(wait).toMatchObject({
        reason: 'Rolling',
        message: expect.stringContaining(`Deployment ${app}`),
        begun: true,
      });
      const old = (await present(app)).filter(({ metadata }) => uidsOf(before).includes(metadata.uid));
      expect(old).toHaveLength(left);
      await release(kube, app, 3);
      if (left > 1) wait = await waitOf(restartOnce(restarts, wait));
    }
    const outcome = await restartOnce(restarts, wait);
    const names = before.map(nameOf);
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'Restarted' });
    for (const name of names) expect(outcome.message).toContain(name);
    const after = await release(kube, app, 3);
    expect(after.filter(({ metadata }) => uidsOf(before).includes(metadata.uid))).toEqual([]);
  });

  it('stops when a replacement does not become Ready in its time, and leaves the others alone', async () => {
    const before = await runGated('stalled');
    const restarts: Restarts = { kube, app: 'stalled', parameters: all };
    const wait = await waitOf(restartOnce(restarts));
    const replacement = await until('there is a replacement', async () => {
      const now = await present('stalled');
      return now.length === 3 && now.find(({ metadata }) => !uidsOf(before).includes(metadata.uid));
    });
    const late = { now: () => Date.now() + 5 * minute };
    const outcome = await restartOnce({ ...restarts, ...late }, wait);
    expect(outcome).toMatchObject({ status: 'failed', reason: 'RolloutStalled' });
    expect(outcome.message).toMatch(
      new RegExp(`^the replacement ${nameOf(replacement)} of Deployment stalled is not Ready after \\d+ s; restarted`),
    );
    const left = (await present('stalled')).filter(({ metadata }) => uidsOf(before).includes(metadata.uid));
    expect(left).toHaveLength(2);
  });

  it('waits before the first one, too, has not begun then, and leaves alone what comes after its first look', async () => {
    const [, second] = await runGated('awaited');
    const restarts: Restarts = { kube, app: 'awaited', parameters: all };
    await kube.deletePod({ namespace, name: nameOf(second) });
    const wait = await waitOf(restartOnce(restarts));
    expect(wait).toMatchObject({ reason: 'Rolling', begun: false });
    await release(kube, 'awaited', 3);
    await aged('awaited');
    await expect(waitOf(restartOnce(restarts, wait))).resolves.toMatchObject({
      message: expect.stringContaining('1 to go'),
      begun: true,
    });
  });

  it('leaves what may be a replacement alone when an attempt got lost', async () => {
    const before = await runDeployment(kube, 'lost', 2);
    const restarts: Restarts = { kube, app: 'lost', parameters: all, request: { at: Date.now() } };
    await expect(restartOnce({ ...restarts, context: { attempt: 2, mayBeDone: true } })).resolves.toMatchObject({
      status: 'succeeded',
      reason: 'AlreadyGone',
    });
    expect(uidsOf(await runningPods(kube, 'lost', 2))).toEqual(uidsOf(before));
    const later = { ...restarts, request: { at: Date.now() + minute } };
    await expect(waitOf(restartOnce({ ...later, context: { attempt: 2, mayBeDone: true } }))).resolves.toMatchObject({
      reason: 'Rolling',
      begun: true,
    });
  });

  it('goes on from its progress, whatever became of the pods in between', async () => {
    await runDeployment(kube, 'shrunk', 3);
    await aged('shrunk');
    const restarts: Restarts = { kube, app: 'shrunk', parameters: all };
    const wait = await waitOf(restartOnce(restarts));
    await merge(deployments, 'shrunk', { spec: { replicas: 1 } });
    await runningPods(kube, 'shrunk', 1);
    const { outcome } = await restartThrough({ ...restarts, request: { progress: wait.progress ?? null } });
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'Restarted' });
    await runningPods(kube, 'shrunk', 1);
  });

  it('does not begin before replacements can be told from the pods that are there', async () => {
    await runDeployment(kube, 'young', 2);
    const newborn = { now: () => Date.now() - 1000 };
    const wait = await waitOf(restartOnce({ kube, app: 'young', parameters: all, ...newborn }));
    expect(wait).toMatchObject({
      reason: 'Rolling',
      message: expect.stringContaining('just been created'),
      begun: false,
    });
    const { outcome } = await restartThrough({ kube, app: 'young', parameters: all });
    expect(outcome).toMatchObject({ reason: 'Restarted', message: expect.stringMatching(/^restarted: [^,]+, [^,]+$/) });
  });

  it('says in a dry run which ones it would restart', async () => {
    const before = await runDeployment(kube, 'all-dry', 2);
    const outcome = await restartOnce({ kube, app: 'all-dry', parameters: all, request: { dryRun: true } });
    expect(outcome).toMatchObject({ status: 'dryRun', reason: 'DryRun' });
    for (const pod of before) expect(outcome.message).toContain(nameOf(pod));
    expect(uidsOf(await runningPods(kube, 'all-dry', 2))).toEqual(uidsOf(before));
  });
});

describe('restart_pod of one pod', () => {
  it('waits while another pod of its workload is on its way, and names it', async () => {
    const [first, second] = await runGated('siblings');
    await restartOnce({ kube, app: 'siblings', pods: [podRef(first)] });
    const next: Restarts = { kube, app: 'siblings', pods: [podRef(second)] };
    const wait = await waitOf(restartOnce(next));
    expect(wait).toMatchObject({
      reason: 'Rolling',
      message: expect.stringContaining('Deployment siblings'),
      begun: false,
    });
    const dry = await restartOnce({ ...next, request: { dryRun: true } });
    expect(dry).toMatchObject({ status: 'dryRun', message: expect.stringContaining('it would wait: ') });
    await release(kube, 'siblings', 3);
    await expect(restartOnce(next)).resolves.toMatchObject({ reason: 'Restarted' });
  });

  it('lets only one of several at the same moment begin, whichever rule or TargetApp they are of', async () => {
    const all3 = await runGated('crowd');
    const { run } = createRestartPod({ kube });
    const context = { selector: { matchLabels: { app: 'crowd' } } };
    const results = await Promise.all(
      all3.map((pod) => run(actionContext({ pods: [podRef(pod)] }, context), byDefault).catch((error: Wait) => error)),
    );
    expect(results.map(({ reason }) => reason).sort()).toEqual(['Restarted', 'Rolling', 'Rolling']);
  });

  it('waits until a pod of a StatefulSet is gone and back under its name', async () => {
    const [first, second] = await runStatefulSet(kube, 'ordered', 2);
    await merge(pods, nameOf(first), { metadata: { finalizers: ['test.example/held'] } });
    await restartOnce({ kube, app: 'ordered', pods: [podRef(first)] });
    const next: Restarts = { kube, app: 'ordered', pods: [podRef(second)] };
    await expect(waitOf(restartOnce(next))).resolves.toMatchObject({
      reason: 'Rolling',
      message: `StatefulSet ordered has 1 of 2 pods; being deleted: ${nameOf(first)}`,
    });
    await merge(pods, nameOf(first), { metadata: { finalizers: null } });
    await until('it is back', async () => {
      const [back] = (await present('ordered')).filter((pod) => nameOf(pod) === nameOf(first));
      return back?.metadata.uid !== first?.metadata.uid && back?.status?.phase === 'Running';
    });
    await expect(restartThrough(next)).resolves.toMatchObject({ outcome: { reason: 'Restarted' } });
  });

  it('waits for a rollout of its Deployment', async () => {
    const [first] = await runGated('changed');
    await merge(deployments, 'changed', { spec: { template: { metadata: { annotations: { version: '2' } } } } });
    const wait = await waitOf(restartOnce({ kube, app: 'changed', pods: [podRef(first)] }));
    expect(wait).toMatchObject({
      reason: 'Rolling',
      message: expect.stringContaining('Deployment changed'),
      begun: false,
    });
  });

  it('heals a workload that is ill as a whole', async () => {
    const ill = await runDeployment(kube, 'epidemic', 3);
    for (const pod of ill) await notReady(kube, pod, 'now');
    await expect(restartOnce({ kube, app: 'epidemic', pods: [podRef(ill[0])] })).resolves.toMatchObject({
      reason: 'Restarted',
    });
  });

  it.each([
    ['five minutes', 'slow', {}, {}, 5 * minute],
    ['what the rule says', 'slow-rule', {}, { startupGrace: '2m' }, 2 * minute],
    [
      'what its startupProbe allows',
      'slow-probe',
      { startupProbe: { exec: { command: ['true'] }, periodSeconds: 20, failureThreshold: 30 } },
      {},
      10 * minute,
    ],
  ])('gives a pod that was never Ready time to start: %s', async (_, app, probe, parameters, graceMs) => {
    const containers = [{ name: 'main', image: 'none', ...probe }];
    const [pod] = await runDeployment(kube, app, 1, { containers });
    await notReady(kube, pod, 'start');
    const restarts: Restarts = { kube, app, pods: [podRef(pod)], parameters };
    const wait = await waitOf(restartOnce(restarts));
    expect(wait).toMatchObject({ reason: 'StartingUp', afterMs: 30_000, begun: false });
    expect(wait.message).toContain(`the pod ${nameOf(pod)} was never Ready`);
    const soon = { now: () => Date.now() + graceMs - 30_000 };
    await expect(waitOf(restartOnce({ ...restarts, ...soon }))).resolves.toMatchObject({ reason: 'StartingUp' });
    const late = { now: () => Date.now() + graceMs + 15_000 };
    await expect(restartOnce({ ...restarts, ...late })).resolves.toMatchObject({ reason: 'Restarted' });
  });
});
