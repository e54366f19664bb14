import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { chart, helm, only, type Rendered, render } from './render.ts';

const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const everything = {
  'temporal.devServer.enabled': true,
  'temporal.devServer.persistence.enabled': true,
  'podDisruptionBudget.enabled': true,
  'networkPolicy.enabled': true,
  'serviceMonitor.enabled': true,
  'prometheusRule.enabled': true,
  'grafanaDashboard.enabled': true,
};

/** The pod specs of everything that makes pods. */
const podSpecs = (objects: Rendered[]): [string, Rendered['spec']][] =>
  objects.flatMap(({ kind, metadata, ['spec']: spec }): [string, Rendered['spec']][] => {
    if (kind === 'Pod') return [[metadata.name, spec]];
    return kind === 'Deployment' ? [[metadata.name, spec.template.spec]] : [];
  });

describe('every pod of the chart', () => {
  it('fits the restricted Pod Security Standard, and has a read-only root', async () => {
    const specs = podSpecs(await render(everything));
    expect(specs.map(([name]) => name).sort()).toEqual(['kco-operator', 'kco-operator-temporal', 'kco-operator-test']);
    for (const [, { securityContext, containers }] of specs) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(containers).toHaveLength(1);
      expect(containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(containers[0].resources.limits.memory).toBeDefined();
    }
  });

  it('has the token of the API server only where it is needed', async () => {
    const specs = Object.fromEntries(podSpecs(await render(everything)));
    const mounts = Object.entries(specs).map(([name, spec]) => [name, spec.automountServiceAccountToken]);
    expect(Object.fromEntries(mounts)).toEqual({
      'kco-operator': true,
      'kco-operator-temporal': false,
      'kco-operator-test': false,
    });
  });
});

describe('the operator’s Deployment', () => {
  it('is as the golden file says, with the defaults', async () => {
    const text = readFileSync(join(import.meta.dirname, 'deployment.golden.yaml'), 'utf8');
    const golden = parse(text.replaceAll('VERSION', version));
    const rendered = only(await render(), 'Deployment');
    delete rendered['spec'].template.metadata.annotations['checksum/config'];
    expect(rendered).toEqual(golden);
  });

  it('mounts the Secrets that Temporal needs as files', async () => {
    const objects = await render({ 'temporal.apiKey.secretName': 'key', 'temporal.tls.client.secretName': 'tls' });
    const { containers, volumes } = only(objects, 'Deployment')['spec'].template.spec;
    expect(volumes).toEqual([
      { name: 'temporal-client', secret: { secretName: 'tls' } },
      { name: 'temporal-api-key', secret: { secretName: 'key' } },
    ]);
    expect(containers[0].volumeMounts).toEqual([
      { name: 'temporal-client', mountPath: '/etc/kco/temporal-client', readOnly: true },
      { name: 'temporal-api-key', mountPath: '/etc/kco/temporal-api-key', readOnly: true },
    ]);
    expect(only(objects, 'ConfigMap')['data']).toMatchObject({
      KCO_TEMPORAL_API_KEY_FILE: '/etc/kco/temporal-api-key/api-key',
      KCO_TEMPORAL_TLS_CERT_FILE: '/etc/kco/temporal-client/tls.crt',
    });
  });

  it.each([
    ['the version of the package', {}, `localhost/kco-operator:${version}`],
    ['a tag', { 'image.tag': '2.0.0', 'image.repository': 'r.example/kco' }, 'r.example/kco:2.0.0'],
    ['a digest', { 'image.digest': `sha256:${'a'.repeat(64)}` }, `localhost/kco-operator@sha256:${'a'.repeat(64)}`],
  ])('runs the image of %s', async (_, values, image) => {
    expect(only(await render(values), 'Deployment')['spec'].template.spec.containers[0].image).toBe(image);
  });

  it('gives actions less time to finish than Kubernetes gives the pod', async () => {
    const { terminationGracePeriodSeconds } = only(await render(), 'Deployment')['spec'].template.spec;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(30);
  });
});

describe('the number of replicas', () => {
  it('is left to the HorizontalPodAutoscaler where there is one', async () => {
    const objects = await render({ replicaCount: 3, 'autoscaling.enabled': true, 'autoscaling.maxReplicas': 8 });
    const deployment = only(objects, 'Deployment');
    expect(deployment['spec']).not.toHaveProperty('replicas');
    expect(only(objects, 'HorizontalPodAutoscaler')).toEqual({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'kco-operator', namespace: 'kco-system', labels: deployment.metadata.labels },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name },
        minReplicas: 2,
        maxReplicas: 8,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    });
  });

  it('is measured against a CPU request, which is there by default', async () => {
    const { containers } = only(await render({ 'autoscaling.enabled': true }), 'Deployment')['spec'].template.spec;
    expect(containers.map(({ resources }: Rendered) => resources.requests.cpu)).toEqual([
      expect.stringMatching(/^\d+m?$/),
    ]);
  });
});

describe('the CRDs', () => {
  it.each(readdirSync(join(root, 'crds')))('%s is in the chart as it is in crds/, and kept', async (file) => {
    const source = parse(readFileSync(join(root, 'crds', file), 'utf8')) as Rendered;
    const crd = only(await render(), 'CustomResourceDefinition', source.metadata.name);
    expect(crd['spec']).toEqual(source['spec']);
    expect(crd.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
  });

  it('are in a packaged chart, which knows nothing of the repository', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kco-chart-'));
    await helm(['package', chart, '--destination', folder]);
    const text = await helm(['template', 'kco', join(folder, `kco-operator-${version}.tgz`)]);
    for (const file of readdirSync(join(root, 'crds'))) {
      const { metadata } = parse(readFileSync(join(root, 'crds', file), 'utf8')) as Rendered;
      expect(text).toContain(`name: ${metadata.name}`);
    }
    rmSync(folder, { recursive: true });
  });

  it('go with the release when they are not to be kept, and are not there when they are not wanted', async () => {
    const given = only(await render({ 'crds.keep': false }), 'CustomResourceDefinition');
    expect(given.metadata.annotations).toBeUndefined();
    expect((await render({ 'crds.enabled': false })).map(({ kind }) => kind)).not.toContain('CustomResourceDefinition');
  });
});

describe('what is off by default', () => {
  it('is not there', async () => {
    const kinds = (await render()).map(({ kind }) => kind).sort();
    expect(kinds).toEqual([
      'ClusterRole',
      'ClusterRoleBinding',
      'ConfigMap',
      'CustomResourceDefinition',
      'Deployment',
      'Lease',
      'Pod',
      'Role',
      'RoleBinding',
      'Service',
      'ServiceAccount',
    ]);
  });

  it('lets in only metrics and health with a NetworkPolicy, and nobody but the operator to the dev server', async () => {
    const objects = await render({ ...everything, 'networkPolicy.ingressFrom': [{ namespaceSelector: {} }] });
    const policies = objects
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map(({ metadata, ['spec']: spec }) => [metadata.name, spec]);
    const operator = {
      'app.kubernetes.io/name': 'kco-operator',
      'app.kubernetes.io/instance': 'kco-operator',
      'app.kubernetes.io/component': 'operator',
    };
    expect(Object.fromEntries(policies)).toEqual({
      'kco-operator': {
        podSelector: { matchLabels: operator },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: 'metrics' }, { port: 'health' }], from: [{ namespaceSelector: {} }] }],
      },
      'kco-operator-temporal': {
        podSelector: { matchLabels: { ...operator, 'app.kubernetes.io/component': 'temporal-dev-server' } },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: 'grpc' }], from: [{ podSelector: { matchLabels: operator } }] }],
      },
    });
  });

  it('restricts what the operator reaches only by rules that are given', async () => {
    const egress = [{ to: [{ namespaceSelector: {} }] }];
    const policy = only(
      await render({ 'networkPolicy.enabled': true, 'networkPolicy.egress': egress }),
      'NetworkPolicy',
    );
    expect(policy['spec']).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress });
  });

  it('selects the operator’s pods and Service by labels that they have', async () => {
    const objects = await render(everything);
    const named = (kind: string): Rendered =>
      objects.find((object) => object.kind === kind && object.metadata.name === 'kco-operator') as Rendered;
    const { labels } = named('Deployment')['spec'].template.metadata;
    expect(labels).toMatchObject(named('Service')['spec'].selector);
    expect(labels).toMatchObject(named('PodDisruptionBudget')['spec'].selector.matchLabels);
    expect(named('Service').metadata.labels).toMatchObject(named('ServiceMonitor')['spec'].selector.matchLabels);
    const devServer = only(objects, 'Deployment', 'kco-operator-temporal')['spec'].template.metadata.labels;
    expect(devServer).not.toMatchObject(named('Service')['spec'].selector);
  });
});
