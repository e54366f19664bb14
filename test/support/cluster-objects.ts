import type { Kube, KubeObject, ResourceRef } from '../../src/clients/kubernetes/client.ts';
import { pods } from '../../src/clients/kubernetes/pods.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { until } from './until.ts';

const deployments: ResourceRef = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
const statefulSets: ResourceRef = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  namespaced: true,
};
const budgets: ResourceRef = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  namespaced: true,
};
const namespace = 'default';

/** A pod with its phase. */
export interface TestPod extends KubeObject {
  status?: { phase?: string; podIP?: string; startTime?: string };
}

interface Observed extends KubeObject {
  status?: { observedGeneration?: number };
}

/** Waits until exactly so many pods with the label `app` run and none of them is being deleted. */
export const runningPods = async (kube: Kube, app: string, count: number): Promise<TestPod[]> => {
  return until(`${count} pods of ${app} run`, async () => {
    const { items } = await kube.list<TestPod>(pods, { namespace, labelSelector: `app=${app}` });
    const running = items.filter(({ metadata, status }) => status?.phase === 'Running' && !metadata.deletionTimestamp);
    return items.length === count && running.length === count && running;
  });
};

const specOf = (app: string, replicas: number, pod: JsonObject = {}) => {
  const labels = { app };
  const spec = { containers: [{ name: 'main', image: 'none' }], ...pod };
  return { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } };
};

/** Waits until a Deployment's controller has told of it: until then it counts as just changed. */
const observed = async (kube: Kube, name: string): Promise<void> => {
  await until(`Deployment ${name} is observed`, async () => {
    const found = await kube.get<Observed>(deployments, { namespace, name });
    return found?.status?.observedGeneration === found?.metadata.generation;
  });
};

/** Creates a Deployment and waits for its pods, except where their spec says that they are not to start. */
export const runDeployment = async (
  kube: Kube,
  name: string,
  replicas: number,
  pod?: JsonObject,
): Promise<TestPod[]> => {
  const spec = specOf(name, replicas, pod);
  await kube.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name }, spec });
  await observed(kube, name);
  return pod?.['schedulingGates'] === undefined ? runningPods(kube, name, replicas) : [];
};

/** A pod whose spec has these waits for `release` before it starts, and so does its replacement. */
export const gated: JsonObject = { schedulingGates: [{ name: 'test.example/held' }] };

/** Lets the gated pods of an app start, and waits until so many run. */
export const release = async (kube: Kube, app: string, count: number): Promise<TestPod[]> => {
  const items = await until(`there are ${count} pods of ${app}`, async () => {
    const { items: all } = await kube.list<KubeObject>(pods, { namespace, labelSelector: `app=${app}` });
    // One on its way out may be gone before it is let go.
    const staying = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return staying.length === count && staying;
  });
  const body = { spec: { schedulingGates: null } };
  for (const { metadata } of items) await kube.patch(pods, { namespace, name: metadata.name }, { type: 'merge', body });
  return runningPods(kube, app, count);
};

/** Makes a pod not Ready: since its start, so that it never was, or since now. */
export const notReady = async (kube: Kube, pod: TestPod | undefined, since: 'now' | 'start'): Promise<void> => {
  const name = pod?.metadata.name ?? '';
  const { status } = (await kube.get<TestPod>(pods, { namespace, name })) ?? {};
  const later = new Date(Date.parse(status?.startTime ?? '') + 60_000).toISOString();
  const lastTransitionTime = since === 'start' ? (status?.startTime ?? '') : later;
  const body = { status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime }] } };
  await kube.patch(pods, { namespace, name }, { type: 'strategic', body }, { subresource: 'status' });
};

/** Creates a StatefulSet and waits for its pods. */
export const runStatefulSet = async (kube: Kube, name: string, replicas: number): Promise<TestPod[]> => {
  const spec = { ...specOf(name, replicas), serviceName: name };
  await kube.create(statefulSets, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { namespace, name }, spec });
  return runningPods(kube, name, replicas);
};

/** Creates a PodDisruptionBudget, by default named as the app, and waits until its controller has seen it. */
export const podBudget = async (kube: Kube, app: string, minAvailable: number, name = app): Promise<void> => {
  const spec = { minAvailable, selector: { matchLabels: { app } } };
  await kube.create(budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { namespace, name },
    spec,
  });
  await until(`the budget ${name} was observed`, async () => {
    const budget = await kube.get<Observed>(budgets, { namespace, name });
    return budget?.status?.observedGeneration;
  });
};

const phase = { type: 'string', maxLength: 20 };

/** A kind with a status subresource. */
export const widgetCrd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.example' },
  spec: {
    group: 'test.example',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: { type: 'object', properties: { status: { type: 'object', properties: { phase } } } },
        },
      },
    ],
  },
};
