import { describe, expect, it } from '@jest/globals';
import { helm, only, render } from './render.ts';

const devServer = { 'temporal.devServer.enabled': true };
const autoscaling = { 'autoscaling.enabled': true };
const ownAccount = { 'serviceAccount.create': false };

describe('values that cannot work together are refused with a sentence', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['no time to shut down', { terminationGracePeriodSeconds: 30 }, 'is 30, not more than config.KCO_SHUTDOWN_GRACE'],
    ['a longer shutdown', { 'config.KCO_SHUTDOWN_GRACE': 45 }, 'KCO_SHUTDOWN_GRACE, which is 45'],
    ['a longer shutdown as text', { 'config.KCO_SHUTDOWN_GRACE': '60' }, 'KCO_SHUTDOWN_GRACE, which is 60'],
    ['no CPU to measure', { ...autoscaling, 'resources.requests.cpu': null }, 'needs resources.requests.cpu'],
    ['no resources at all', { ...autoscaling, resources: { requests: null, limits: null } }, 'resources.requests.cpu'],
    ['a least above the most', { ...autoscaling, 'autoscaling.minReplicas': 6 }, 'is 6, more than autoscaling.maxRepl'],
    ['a dev server and another Temporal', { ...devServer, 'temporal.address': 'x:1' }, 'temporal.address are both set'],
    ['a dev server and TLS', { ...devServer, 'temporal.tls.enabled': true }, 'speaks plain text'],
    ['a dev server and a CA', { ...devServer, 'temporal.tls.ca.secretName': 'ca' }, 'speaks plain text'],
    ['a dev server and mTLS', { ...devServer, 'temporal.tls.client.secretName': 'tls' }, 'speaks plain text'],
    ['a dev server and a name', { ...devServer, 'temporal.tls.serverName': 'x' }, 'speaks plain text'],
    ['a dev server and a key', { ...devServer, 'temporal.apiKey.secretName': 'key' }, 'knows no keys'],
    ['nobody’s ServiceAccount', ownAccount, 'serviceAccount.create is false, and serviceAccount.name names no other'],
  ])('%s', async (_, values, sentence) => {
    await expect(render(values)).rejects.toThrow(sentence);
  });

  it('and those that can are not', async () => {
    const values = {
      ...autoscaling,
      ...ownAccount,
      'serviceAccount.name': 'mine',
      'autoscaling.minReplicas': 5,
      'resources.requests.cpu': null,
      'resources.limits.cpu': '1',
      'config.KCO_SHUTDOWN_GRACE': 0,
      terminationGracePeriodSeconds: 1,
      'temporal.address': 'x:1',
      'temporal.tls.enabled': true,
      'temporal.apiKey.secretName': 'key',
    };
    const objects = await render(values);
    expect(only(objects, 'Deployment')['spec'].template.spec).toMatchObject({ serviceAccountName: 'mine' });
    expect(objects.map(({ kind }) => kind)).not.toContain('ServiceAccount');
  });

  it('all of them at once', async () => {
    const values = ['temporal.devServer.enabled=true,temporal.address=x:1', 'terminationGracePeriodSeconds=1'];
    const args = values.flatMap((value) => ['--set', value]);
    const chart = new URL('../../charts/kco-operator', import.meta.url).pathname;
    const refusal = helm(['template', 'kco', chart, '--kube-version', '1.34.0', ...args]);
    await expect(refusal).rejects.toThrow(/terminationGracePeriodSeconds is 1[^\n]*\ntemporal\.devServer\.enabled/);
  });
});

describe('how many replicas may be away', () => {
  const budget = (maxUnavailable: unknown) =>
    render({ 'podDisruptionBudget.enabled': true, 'podDisruptionBudget.maxUnavailable': maxUnavailable });

  it.each([1, '25%', '100%', 0])('may be %j', async (value) => {
    expect(only(await budget(value), 'PodDisruptionBudget')['spec'].maxUnavailable).toBe(value);
  });

  it.each([-1, 'half', '101%', '2.5%', '%', ''])('may not be %j', async (value) => {
    await expect(budget(value)).rejects.toThrow('/podDisruptionBudget/maxUnavailable');
  });
});
