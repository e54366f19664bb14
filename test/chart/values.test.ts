import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { variablesOfOtherValues } from '../../dev/chart/values-schema.ts';
import { readConfig } from '../../src/config/config.ts';
import { configurationTable } from '../../src/config/variables.ts';
import { chart, helm, only, render, renderText } from './render.ts';

const environmentOf = async (values: Record<string, unknown>): Promise<Record<string, string>> =>
  only(await render(values), 'ConfigMap')['data'];

describe('a value that means nothing is refused', () => {
  it.each([
    ['a name with a typo', { replicaCuont: 2 }, 'replicaCuont'],
    ['a nested one', { 'temporal.adress': 'x:1' }, 'adress'],
    ['an unknown action', { 'actions.reboot_node.enabled': true }, 'reboot_node'],
    ['an unknown variable', { 'config.KCO_LOG_LEVLE': 'INFO' }, 'KCO_LOG_LEVLE'],
    ['a text for a flag', { 'crds.enabled': 'yes' }, 'crds'],
    ['an address with a scheme', { 'temporal.address': 'https://x:7233' }, 'address'],
    ['a namespace that is none', { watchNamespaces: ['Shop'] }, 'watchNamespaces'],
    ['a digest that is none', { 'image.digest': 'latest' }, 'digest'],
    ['no replicas to scale to', { 'autoscaling.minReplicas': 0 }, 'minReplicas'],
    ['a kind that is none', { 'actions.patch_resource.kinds': ['configmaps'] }, 'kinds'],
    ['a kind with a version', { 'actions.patch_resource.kinds': ['apps/v1.Deployment'] }, 'kinds'],
    [
      'every API group at once',
      { 'actions.patch_resource.resources': [{ apiGroups: ['*'], resources: ['pods'] }] },
      'apiGroups',
    ],
    [
      'every resource at once',
      { 'actions.patch_resource.resources': [{ apiGroups: [''], resources: ['*'] }] },
      'resources',
    ],
  ])('%s', async (_, values, named) => {
    await expect(render(values)).rejects.toThrow(named);
  });
});

describe('the environment of the operator', () => {
  it('is one that the operator starts with, for every value that sets a variable', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kco-chart-'));
    const variables = await environmentOf({
      'config.KCO_LOG_LEVEL': 'DEBUG',
      'config.KCO_MAX_RESPONSE_BYTES': 67_108_864,
      'config.KCO_METRICS_PORT': 9090,
      'temporal.address': 'temporal.example.com:7233',
      'temporal.namespace': 'prod',
      'temporal.taskQueue': 'kco-prod',
      'temporal.webUrl': 'https://temporal.example.com',
      'temporal.tls.ca.secretName': 'ca',
      'temporal.tls.client.secretName': 'client',
      'temporal.tls.serverName': 'frontend',
      'temporal.apiKey.secretName': 'key',
      watchNamespaces: ['shop', 'bank'],
      'actions.exec_command.enabled': true,
      'actions.webhook.enabled': false,
      'actions.patch_resource.kinds': ['ConfigMap', 'Deployment.apps', 'ConfigMap'],
    });
    const mounted = Object.entries(variables).map(([name, value]) => {
      if (!name.endsWith('_FILE')) return [name, value];
      const path = join(folder, name);
      writeFileSync(path, 'x');
      return [name, path];
    });
    expect(readConfig(Object.fromEntries(mounted) as Record<string, string>)).toMatchObject({
      logLevel: 'DEBUG',
      surface: { metricsPort: 9090 },
      kubernetes: { watchNamespaces: ['shop', 'bank'] },
      temporal: {
        address: 'temporal.example.com:7233',
        namespace: 'prod',
        taskQueue: 'kco-prod',
        tls: { serverName: 'frontend' },
      },
      observing: { maxResponseBytes: 67_108_864 },
      actions: {
        enabled: ['exec_command', 'restart_pod', 'scale_deployment'],
        patchKinds: ['ConfigMap', 'Deployment.apps'],
      },
      warnings: [],
    });
    rmSync(folder, { recursive: true });
  });

  it('names none of the actions when all are off', async () => {
    const values = ['restart_pod', 'scale_deployment', 'webhook'].map((name) => [`actions.${name}.enabled`, false]);
    const variables = await environmentOf(Object.fromEntries(values) as Record<string, unknown>);
    expect(readConfig(variables).actions.enabled).toEqual([]);
  });

  it('does not limit the kinds that may be patched by default', async () => {
    expect(readConfig(await environmentOf({})).actions.patchKinds).toBeUndefined();
  });

  it('can set every variable, by config or by a value of its own', async () => {
    const { default: schema } = (await import('../../charts/kco-operator/values.schema.json', {
      with: { type: 'json' },
    })) as {
      default: { properties: { config: { properties: Record<string, { description: string }> } } };
    };
    const rows = Object.entries(schema.properties.config.properties);
    expect(rows.map(([name]) => name)).toEqual(configurationTable().map(({ name }) => name));
    const elsewhere = rows.filter(([, { description }]) => description.startsWith('Not taken here'));
    expect(elsewhere.map(([name]) => name)).toEqual(variablesOfOtherValues());
  });

  it.each([
    ['the one of Temporal’s own chart', {}, 'temporal-frontend.temporal.svc:7233'],
    ['the dev server', { 'temporal.devServer.enabled': true }, 'kco-operator-temporal.kco-system.svc:7233'],
    ['the one that is given', { 'temporal.address': 'x:1' }, 'x:1'],
  ])('has as the address of Temporal %s', async (_, values, address) => {
    expect(await environmentOf(values)).toMatchObject({ KCO_TEMPORAL_ADDRESS: address });
  });

  it('changes the pods when it changes', async () => {
    const checksum = async (values: Record<string, unknown>): Promise<string> =>
      only(await render(values), 'Deployment')['spec'].template.metadata.annotations['checksum/config'];
    expect(await checksum({ 'config.KCO_LOG_LEVEL': 'DEBUG' })).not.toBe(await checksum({}));
  });
});

describe('the notes', () => {
  /** As `helm install` would show them, without a cluster to install to. */
  const notes = async (values: Record<string, unknown>): Promise<string> => {
    const text = '{{ include "kco-operator/templates/NOTES.txt" . | b64enc }}';
    const carrier = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'carrier' }, data: { text } };
    const objects = await render({ ...values, extraObjects: [carrier] });
    return Buffer.from(only(objects, 'ConfigMap', 'carrier')['data'].text, 'base64').toString();
  };
  const autoscaling = { 'autoscaling.enabled': true };
  const budget = { 'podDisruptionBudget.enabled': true };
  const patching = { 'actions.patch_resource.enabled': true };
  const alone = { 'leaderElection.enabled': false };
  const pods = 'app.kubernetes.io/instance=kco-operator,app.kubernetes.io/component=operator';
  const vain = 'protects nothing while there is one replica';

  it.each([
    ['the replicas', { replicaCount: 3 }, 'Replicas    3\n'],
    ['the range of replicas', autoscaling, 'Replicas    2 to 5, by CPU\n'],
    ['that a budget is in vain', budget, `${vain}: set replicaCount to 2`],
    [
      'that a budget is in vain, with an autoscaler',
      { ...budget, ...autoscaling, replicaCount: 3, 'autoscaling.minReplicas': 1 },
      `${vain}: set autoscaling.minReplicas to 2`,
    ],
    ['that a drain never ends', { ...budget, replicaCount: 2, 'podDisruptionBudget.maxUnavailable': 0 }, 'for ever'],
    ['why an autoscaler measures nothing', autoscaling, 'kubectl -n kco-system describe hpa kco-operator\n'],
    ['that nothing can be patched', patching, 'can patch nothing until actions.patch_resource.resources is set'],
    ['so where the actions are', patching, 'patch_resource (can patch nothing yet), restart_pod,'],
    ['that all replicas do the work of one', { ...alone, replicaCount: 2 }, 'Without leaderElection.enabled'],
    ['so with an autoscaler', { ...alone, ...autoscaling }, 'Without leaderElection.enabled'],
    ['how to read the log of every pod', { replicaCount: 2 }, `logs -l ${pods} --tail=-1\n`],
    ['where a first TargetApp is', {}, 'docs/installation.md has a first TargetApp'],
  ])('say %s', async (_, values, text) => {
    expect(await notes(values)).toContain(text);
  });

  it.each([
    ['no values', {}],
    ['an autoscaler and a budget', { ...autoscaling, ...budget }],
    ['two replicas and a budget', { ...budget, replicaCount: 2 }],
    ['one replica without an election', alone],
    ['rights to patch', { ...patching, 'actions.patch_resource.resources': [{ apiGroups: [''], resources: ['x'] }] }],
    ['rights of one’s own', { ...patching, 'rbac.create': false }],
  ])('warn of nothing with %s', async (_, values) => {
    expect(await notes(values)).not.toMatch(/for ever|protects nothing|can patch nothing|Without leader/);
  });
});

describe('the chart', () => {
  it('passes helm lint', async () => {
    expect(await helm(['lint', chart, '--strict', '--kube-version', '1.34.0'])).toContain('0 chart(s) failed');
  });

  it('renders extra objects as templates', async () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: '{{ .Release.Name }}-extra' } };
    expect(await renderText({ extraObjects: [object] })).toContain('kco-operator-extra');
  });
});
