import { describe, expect, it } from '@jest/globals';
import { createPatchResource } from '../../../../src/activities/target-app/actions/patch-resource.ts';
import type { PatchResourceParameters } from '../../../../src/api/target-app/action-parameters.ts';
import type { Kube, KubeObject, ResourceRef } from '../../../../src/clients/kubernetes/client.ts';
import { actionContext } from '../../../support/action-context.ts';
import { withCluster } from '../../../support/with-cluster.ts';

const configMaps: ResourceRef = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const namespace = 'default';
let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});

const parameters = { apiVersion: 'v1', kind: 'ConfigMap', name: 'web', patchType: 'merge', patch: {} } as const;
const patch = (
  given: Partial<PatchResourceParameters>,
  ...[request = {}, context]: Partial<Parameters<typeof actionContext>>
) => createPatchResource({ kube }).run(actionContext(request, context), { ...parameters, ...given });

const createConfigMap = async (name: string, data: Record<string, string>) => {
  await kube.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data });
};
const dataOf = async (name: string) =>
  (await kube.get<KubeObject & { data?: object }>(configMaps, { namespace, name }))?.data;

describe('patch_resource', () => {
  it.each<[PatchResourceParameters['patchType'], PatchResourceParameters['patch']]>([
    ['merge', { data: { mode: 'safe' } }],
    ['strategic', { data: { mode: 'safe' } }],
    ['json', [{ op: 'replace', path: '/data/mode', value: 'safe' }]],
    ['apply', { data: { mode: 'safe' } }],
  ])('changes the object, as the field manager kco-action: %s', async (patchType, body) => {
    const name = `by-${patchType}`;
    await createConfigMap(name, { mode: 'fast', other: 'kept' });
    await expect(patch({ name, patchType, patch: body })).resolves.toEqual({
      status: 'succeeded',
      reason: 'Patched',
      message: `patched ConfigMap ${name}`,
    });
    await expect(patch({ name, patchType, patch: body })).resolves.toMatchObject({ status: 'succeeded' });
    await expect(dataOf(name)).resolves.toEqual({ mode: 'safe', other: 'kept' });
    const object = await kube.get<KubeObject>(configMaps, { namespace, name });
    expect(object).toHaveProperty(
      'metadata.managedFields',
      expect.arrayContaining([expect.objectContaining({ manager: 'kco-action' })]),
    );
  });

  it('changes nothing in a dry run', async () => {
    await createConfigMap('dry', { mode: 'fast' });
    const outcome = await patch({ name: 'dry', patch: { data: { mode: 'safe' } } }, { dryRun: true });
    expect(outcome).toMatchObject({ status: 'dryRun', reason: 'DryRun' });
    await expect(dataOf('dry')).resolves.toEqual({ mode: 'fast' });
  });

  it.each([
    ['an operation that appends', { op: 'add', path: '/spec/list/-', value: 1 }],
    ['an insertion', { op: 'add', path: '/spec/list/0', value: 1 }],
    ['a removal from a list', { op: 'remove', path: '/spec/list/0' }],
    ['a copy to the end of a list', { op: 'copy', from: '/a', path: '/spec/list/-' }],
    ['a move', { op: 'move', from: '/a', path: '/b' }],
  ])('refuses a JSON patch with %s, unless it carries a test', async (_, operation) => {
    const refused = await patch({ name: 'absent', patchType: 'json', patch: [operation] });
    expect(refused).toMatchObject({ status: 'refused', reason: 'PatchNotRepeatable' });
    const tested = await patch({
      name: 'absent',
      patchType: 'json',
      patch: [{ op: 'test', path: '/a', value: 1 }, operation],
    });
    expect(tested).toMatchObject({ status: 'failed', reason: 'NotFound' });
  });

  it.each([
    [1, 'failed'],
    [2, 'unknown'],
  ])('does not claim to know why a test fails on attempt %d', async (attempt, status) => {
    await createConfigMap(`tested-${attempt}`, { mode: 'safe' });
    const body = [{ op: 'test', path: '/data/mode', value: 'fast' }];
    const outcome = await patch({ name: `tested-${attempt}`, patchType: 'json', patch: body }, {}, { attempt });
    expect(outcome).toMatchObject({ status, reason: 'Unprocessable' });
  });

  it.each([
    ['v1', 'Secret'],
    ['v1', 'ServiceAccount'],
    ['v1', 'Namespace'],
    ['v1', 'Node'],
    ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
    ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['operator.kco.local/v1alpha1', 'TargetApp'],
  ])('never patches a %s %s, even when the administrator lists it', async (apiVersion, kind) => {
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
    const action = createPatchResource({ kube, allowedKinds: [`${kind}${group}`] });
    const outcome = await action.run(actionContext({}), { ...parameters, apiVersion, kind });
    expect(outcome).toMatchObject({ status: 'refused', reason: 'KindRefused' });
  });

  it('patches only the kinds that the administrator allows, when there is a list', async () => {
    const action = createPatchResource({ kube, allowedKinds: ['Deployment.apps'] });
    await expect(action.run(actionContext({}), parameters)).resolves.toMatchObject({
      status: 'refused',
      reason: 'KindNotAllowed',
      message:
        'patch_resource may patch Deployment.apps here, and no ConfigMap; the administrator allows it with KCO_PATCH_KINDS (Helm: actions.patch_resource.kinds)',
    });
    const allowed = { ...parameters, apiVersion: 'apps/v1', kind: 'Deployment' };
    await expect(action.run(actionContext({}), allowed)).resolves.toMatchObject({
      status: 'failed',
      reason: 'NotFound',
    });
  });

  it.each<[string, Partial<PatchResourceParameters>, string]>([
    ['a kind without a namespace', { kind: 'PersistentVolume' }, 'ClusterScoped'],
    ['another name', { patch: { metadata: { name: 'other' } } }, 'OtherObject'],
    ['another namespace', { patchType: 'apply', patch: { metadata: { namespace: 'kube-system' } } }, 'OtherObject'],
    ['another kind', { patchType: 'apply', patch: { kind: 'Secret' } }, 'OtherObject'],
    ['a list that is no JSON patch', { patch: [] }, 'PatchInvalid'],
    ['a JSON patch that is no list', { patchType: 'json', patch: {} }, 'PatchInvalid'],
  ])('refuses %s', async (_, given, reason) => {
    await expect(patch(given)).resolves.toMatchObject({ status: 'refused', reason });
  });

  it.each<[string, Partial<PatchResourceParameters>, string]>([
    ['a kind that does not exist', { kind: 'Absent' }, 'KindUnknown'],
    ['an object that does not exist', { name: 'absent' }, 'NotFound'],
    ['a name that would leave its place in the path', { name: '../secrets/x' }, 'InvalidName'],
  ])('fails for %s', async (_, given, reason) => {
    await expect(patch(given)).resolves.toMatchObject({ status: 'failed', reason });
  });

  it('says which account lacks which right, which Helm value gives it, and how to check', async () => {
    const robot = createPatchResource({ kube: kube.as('system:serviceaccount:default:robot') });
    const outcome = await robot.run(actionContext({}), parameters);
    expect(outcome).toMatchObject({ status: 'refused', reason: 'Forbidden' });
    expect(outcome.message).toBe(
      'system:serviceaccount:default:robot may not patch configmaps in namespace default; ' +
        'the administrator gives the right with the Helm value actions.patch_resource.resources; check with: ' +
        'kubectl auth can-i patch configmaps/web -n default --as system:serviceaccount:default:robot',
    );
  });
});
