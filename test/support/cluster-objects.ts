import type { Kube, KubeObject, ResourceRef } from '../../src/clients/kube.ts';
import { pods } from '../../src/clients/kube-pods.ts';
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
  status?: { phase?: string; podIP?: string };
}

/** Waits until exactly so many pods with the label `app` run and none of them is being deleted. */
export const runningPods = async (kube: Kube, app: string, count: number): Promise<TestPod[]> => {
  return until(`${count} pods of ${app} run`, async () => {
    const { items } = await kube.list<TestPod>(pods, { namespace, labelSelector: `app=${app}` });
    const running = items.filter(({ metadata, status }) => status?.phase === 'Running' && !metadata.deletionTimestamp);
    return items.length === count && running.length === count && running;
  });
};

const specOf = (app: string, replicas: number) => {
  const labels = { app };
  const containers = [{ name: 'main', image: 'none' }];
  return { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } };
};

/** Creates a Deployment and waits for its pods. */
export const runDeployment = async (kube: Kube, name: string, replicas: number): Promise<TestPod[]> => {
  const spec = specOf(name, replicas);
  await kube.create(deployments, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name }, spec });
  return runningPods(kube, name, replicas);
};

/** Creates a StatefulSet and waits for its pods. */
export const runStatefulSet = async (kube: Kube, name: string, replicas: number): Promise<TestPod[]> => {
  const spec = { ...specOf(name, replicas), serviceName: name };
  await kube.create(statefulSets, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { namespace, name }, spec });
  return runningPods(kube, name, replicas);
};

/** Creates a PodDisruptionBudget and waits until its controller has seen it. */
export const podBudget = async (kube: Kube, app: string, minAvailable: number): Promise<void> => {
  const spec = { minAvailable, selector: { matchLabels: { app } } };
  await kube.create(budgets, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { namespace, name: app },
    spec,
  });
  await until(`the budget of ${app} was observed`, async () => {
    const budget = await kube.get<KubeObject & { status?: { observedGeneration?: number } }>(budgets, {
      namespace,
      name: app,
    });
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
