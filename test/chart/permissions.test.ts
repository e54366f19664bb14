import { describe, expect, it } from '@jest/globals';
import { only, permissions, render, renderText } from './render.ts';

const always = [
  'create events',
  'get targetapps.operator.kco.local',
  'list pods',
  'list targetapps.operator.kco.local',
  'patch events',
  'patch targetapps/status.operator.kco.local',
  'watch pods',
  'watch targetapps.operator.kco.local',
];
const restart = [
  'create pods/eviction',
  'delete pods',
  'get daemonsets.apps',
  'get deployments.apps',
  'get jobs.batch',
  'get pods',
  'get replicasets.apps',
  'get replicationcontrollers',
  'get statefulsets.apps',
  'list poddisruptionbudgets.policy',
];
const scale = [
  'get deployments.apps',
  'get deployments/scale.apps',
  'get pods',
  'get replicasets.apps',
  'get statefulsets.apps',
  'get statefulsets/scale.apps',
  'list horizontalpodautoscalers.autoscaling',
  'patch deployments/scale.apps',
  'patch statefulsets/scale.apps',
];
/** Of Leases, and in the namespace of the release only. */
const lead = [
  'get leases.coordination.k8s.io kco-operator',
  'patch leases.coordination.k8s.io kco-operator',
  ...['create', 'delete', 'list', 'patch', 'watch'].map((verb) => `${verb} leases.coordination.k8s.io`),
].map((right) => `${right} in kco-system`);
const off = {
  'leaderElection.enabled': false,
  'actions.restart_pod.enabled': false,
  'actions.scale_deployment.enabled': false,
  'actions.webhook.enabled': false,
};
const configMaps = [{ apiGroups: [''], resources: ['configmaps'] }];
const patching = { ...off, 'actions.patch_resource.enabled': true };

const sorted = (...rights: string[][]): string[] => [...new Set(rights.flat())].sort();

describe('the operator may', () => {
  it.each([
    ['watch and report, with every action off', off, sorted(always)],
    ['also lead, restart and scale, by default', {}, sorted(always, lead, restart, scale)],
    ['also restart, with restart_pod', { ...off, 'actions.restart_pod.enabled': true }, sorted(always, restart)],
    ['also scale, with scale_deployment', { ...off, 'actions.scale_deployment.enabled': true }, sorted(always, scale)],
    ['nothing more with webhook', { ...off, 'actions.webhook.enabled': true }, sorted(always)],
    [
      'also run commands, with exec_command',
      { ...off, 'actions.exec_command.enabled': true },
      sorted(always, ['create pods/exec', 'get pods', 'get pods/exec']),
    ],
    ['nothing more with patch_resource and no resources', patching, sorted(always)],
    [
      'also patch what is listed, with patch_resource',
      { ...patching, 'actions.patch_resource.resources': configMaps },
      sorted(always, ['patch configmaps']),
    ],
    [
      'also create it, where that is said',
      { ...patching, 'actions.patch_resource.resources': configMaps, 'actions.patch_resource.create': true },
      sorted(always, ['create configmaps', 'patch configmaps']),
    ],
    [
      'also patch what is named, and no other',
      {
        ...patching,
        'actions.patch_resource.resources': [
          { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['shop'] },
        ],
      },
      sorted(always, ['patch deployments.apps shop']),
    ],
    [
      'do it in the watched namespaces only',
      { ...off, watchNamespaces: ['shop', 'bank'] },
      sorted(...['bank', 'shop'].map((namespace) => always.map((right) => `${right} in ${namespace}`))),
    ],
    ['nothing that the chart gave, without rbac.create', { 'rbac.create': false }, []],
  ])('%s', async (_, values, rights) => {
    expect(permissions(await render(values))).toEqual(rights);
  });

  it.each([
    ['{}'],
    ['{"actions.exec_command.enabled":true,"actions.patch_resource.enabled":true,"rbac.aggregate":true}'],
  ])('never impersonate, escalate, bind, read Secrets or do everything (%s)', async (values) => {
    const rights = permissions(await render(JSON.parse(values) as Record<string, unknown>));
    expect(rights.filter((right) => /\*|impersonate|escalate|^bind |secrets|serviceaccounts|rbac/.test(right))).toEqual(
      [],
    );
  });

  it('not exec into pods by default', async () => {
    expect(await renderText()).not.toMatch(/pods\/exec|impersonate|'\*'|"\*"/);
  });
});

describe('the roles', () => {
  it('are bound to the ServiceAccount that the pods run as', async () => {
    const objects = await render({ 'serviceAccount.name': 'somebody' });
    const subject = { kind: 'ServiceAccount', name: 'somebody', namespace: 'kco-system' };
    expect(only(objects, 'ClusterRoleBinding')).toMatchObject({ subjects: [subject] });
    expect(only(objects, 'ServiceAccount').metadata.name).toBe('somebody');
    expect(only(objects, 'Deployment')['spec'].template.spec.serviceAccountName).toBe('somebody');
  });

  it('are Roles and bindings in each watched namespace, without a ClusterRole', async () => {
    const objects = await render({ ...off, watchNamespaces: ['shop', 'bank'] });
    const made = objects
      .filter(({ kind }) => /Role/.test(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace}`);
    expect(made.sort()).toEqual(['Role bank', 'Role shop', 'RoleBinding bank', 'RoleBinding shop']);
  });

  it('reach view, edit and admin only when asked to', async () => {
    const aggregated = (text: string) => [...text.matchAll(/aggregate-to-(\w+): "true"/g)].map(([, role]) => role);
    expect(aggregated(await renderText())).toEqual([]);
    expect(aggregated(await renderText({ 'rbac.aggregate': true }))).toEqual([
      'view',
      'edit',
      'admin',
      'edit',
      'admin',
    ]);
  });
});
