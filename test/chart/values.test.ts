import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { variablesOfOtherValues } from '../../dev/chart/values-schema.ts';
import { readConfig } from '../../src/config.ts';
import { configurationTable } from '../../src/environment.ts';
import { chart, helm, only, render, renderText } from './render.ts';

const environmentOf = async (values: Record<string, unknown>): Promise<Record<string, string>> =>
  only(await render(values), 'ConfigMap')['data'];

describe('a value that means nothing is refused', () => {
  it.each([
    ['a name with a typo', { replicaCuont: 2 }, 'replicaCuont'],
    ['a nested one', { 'temporal.adress': 'x:1' }, 'adress'],
    ['an unknown action', { 'actions.reboot_node.enabled': true }, 'reboot_node'],
    ['an unknown variable', { 'config.KCO_LOG_LEVLE': 'INFO' }, 'KCO_LOG_LEVLE'],
    ['a variable that another value sets', { 'config.KCO_TEMPORAL_ADDRESS': 'x:1' }, 'KCO_TEMPORAL_ADDRESS'],
    ['a text for a flag', { 'crds.enabled': 'yes' }, 'crds'],
    ['an address with a scheme', { 'temporal.address': 'https://x:7233' }, 'address'],
    ['a namespace that is none', { watchNamespaces: ['Shop'] }, 'watchNamespaces'],
    ['a digest that is none', { 'image.digest': 'latest' }, 'digest'],
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
      actions: { enabled: ['exec_command', 'restart_pod', 'scale_deployment'] },
      warnings: [],
    });
    rmSync(folder, { recursive: true });
  });

  it('names none of the actions when all are off', async () => {
    const values = ['restart_pod', 'scale_deployment', 'webhook'].map((name) => [`actions.${name}.enabled`, false]);
    const variables = await environmentOf(Object.fromEntries(values) as Record<string, unknown>);
    expect(readConfig(variables).actions.enabled).toEqual([]);
  });

  it('can set every variable, by config or by a value of its own', async () => {
    const { default: schema } = (await import('../../charts/kco-operator/values.schema.json', {
      with: { type: 'json' },
    })) as {
      default: { properties: { config: { properties: Record<string, unknown> } } };
    };
    const settable = [...Object.keys(schema.properties.config.properties), ...variablesOfOtherValues()];
    expect(settable.sort()).toEqual(
      configurationTable()
        .map(({ name }) => name)
        .sort(),
    );
  });

  it.each([
    ['the one of Temporal’s own chart', {}, 'temporal-frontend.temporal.svc:7233'],
    ['the dev server', { 'temporal.devServer.enabled': true }, 'kco-operator-temporal.kco-system.svc:7233'],
    ['the one that is given', { 'temporal.devServer.enabled': true, 'temporal.address': 'x:1' }, 'x:1'],
  ])('has as the address of Temporal %s', async (_, values, address) => {
    expect(await environmentOf(values)).toMatchObject({ KCO_TEMPORAL_ADDRESS: address });
  });

  it('changes the pods when it changes', async () => {
    const checksum = async (values: Record<string, unknown>): Promise<string> =>
      only(await render(values), 'Deployment')['spec'].template.metadata.annotations['checksum/config'];
    expect(await checksum({ 'config.KCO_LOG_LEVEL': 'DEBUG' })).not.toBe(await checksum({}));
  });
});

describe('the notes and the linter', () => {
  it('let the chart pass helm lint', async () => {
    expect(await helm(['lint', chart, '--strict', '--kube-version', '1.34.0'])).toContain('0 chart(s) failed');
  });

  it('render extra objects as templates', async () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: '{{ .Release.Name }}-extra' } };
    expect(await renderText({ extraObjects: [object] })).toContain('kco-operator-extra');
  });
});
