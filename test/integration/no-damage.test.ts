import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSampleApp } from '../../dev/sample-app/app.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { type RealWorld, startWorld, targetAppOf, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedPod } from '../support/recorder.ts';
import { until } from '../support/until.ts';

let world: RealWorld;
const namespace = 'default';

beforeAll(async () => {
  world = await startWorld();
  await world.operate();
}, 900_000);

afterAll(() => world?.stop());

const onUnhealthy = (action: string, parameters?: JsonObject, trigger: JsonObject = {}): JsonObject => ({
  name: 'heal',
  trigger: { ...whenUnhealthy, ...trigger },
  action,
  ...(parameters && { parameters }),
});

const isReady = (pod: RecordedPod): boolean => {
  const { conditions = [] } = (pod.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return (
    pod.metadata.deletionTimestamp === undefined &&
    conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  );
};

/** The fewest pods of an app that were Ready at any time after so many had been. */
const fewestReady = (app: string, replicas: number): number => {
  const ready = new Set<string>();
  let fewest: number | undefined;
  for (const { type, object } of world.recorder.pods) {
    if (object.metadata.labels?.['app'] !== app) continue;
    if (type !== 'deleted' && isReady(object)) ready.add(object.metadata.uid);
    else ready.delete(object.metadata.uid);
    if (fewest !== undefined || ready.size === replicas) fewest = Math.min(fewest ?? replicas, ready.size);
  }
  return fewest ?? 0;
};
const uidsOf = (pods: RecordedPod[]): string[] => pods.map(({ metadata }) => metadata.uid).sort();
const threeMorePolls = async (pod: RecordedPod | undefined): Promise<void> => {
  const polled = world.app.requests(pod?.status?.podIP);
  await until('three more polls', () => world.app.requests(pod?.status?.podIP) >= polled + 3);
};

it.concurrent('a pod without a controller is not deleted, and the refusal says what allows it', async () => {
  await world.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: 'bare', labels: { app: 'bare' } },
    spec: { containers: [{ name: 'app', image: 'sample-app', ports: [{ containerPort: world.app.port }] }] },
  });
  const [pod] = await world.pods('bare');
  await world.monitor('bare', { actions: [onUnhealthy('restart_pod')] });
  world.says(pod, { health: 'unhealthy' });
  const refused = await world.event('bare', 'ActionRefused');
  expect(refused).toMatchObject({ type: 'Warning', message: expect.stringContaining('bare (it has no controller)') });
  expect(refused.message).toContain('parameters.allowUnmanaged: true');
  await threeMorePolls(pod);
  expect(uidsOf(await world.pods('bare'))).toEqual([pod?.metadata.uid]);
});

it.concurrent('an app behind a URL is restarted pod by pod, and only where the rule says that it is about all of them', async () => {
  const single = await startSampleApp({ single: true, host: '127.0.0.1' });
  try {
    const before = await world.runApp('behind-url', 3);
    const behind = (parameters?: JsonObject): JsonObject => ({
      graphqlEndpoint: `127.0.0.1:${single.port}/graphql`,
      actions: [onUnhealthy('restart_pod', parameters)],
    });
    await expect(world.apply(targetAppOf('behind-url', behind()))).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('parameters.pods of restart_pod must be all where graphqlEndpoint is a URL'),
    });
    await world.monitor('behind-url', behind({ pods: 'all' }));
    single.setState('127.0.0.1', { health: 'unhealthy' });
    const succeeded = await world.event('behind-url', 'ActionSucceeded');
    for (const { metadata } of before) expect(succeeded.message).toContain(metadata.name);
    await world.deletedPods('behind-url', 3);
    expect(fewestReady('behind-url', 3)).toBe(2);
    const after = uidsOf(await world.pods('behind-url', 3));
    expect(after.filter((uid) => uidsOf(before).includes(uid))).toEqual([]);
  } finally {
    await single.close();
  }
});

it.concurrent('pods that fall ill together are restarted one at a time', async () => {
  const before = await world.runApp('together', 3);
  await world.monitor('together', { actions: [onUnhealthy('restart_pod')] });
  for (const pod of before) world.says(pod, { health: 'unhealthy' });
  await world.deletedPods('together', 3);
  const after = uidsOf(await world.pods('together', 3));
  expect(after.filter((uid) => uidsOf(before).includes(uid))).toEqual([]);
  expect(fewestReady('together', 3)).toBe(2);
});

it.concurrent('a Deployment that an autoscaler scales is not scaled, and the refusal names the autoscaler', async () => {
  const [pod] = await world.runApp('autoscaled', 2);
  await world.apply({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { namespace, name: 'keeper' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'autoscaled' },
      minReplicas: 2,
      maxReplicas: 5,
    },
  });
  await world.monitor('autoscaled', { actions: [onUnhealthy('scale_deployment', { replicas: 1 }, { pods: 'any' })] });
  world.says(pod, { health: 'unhealthy' });
  const refused = await world.event('autoscaled', 'ActionRefused');
  expect(refused.message).toContain('the HorizontalPodAutoscaler keeper keeps Deployment autoscaled between 2 and 5');
  await threeMorePolls(pod);
  await world.pods('autoscaled', 2);
});
