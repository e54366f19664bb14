import type { Kind } from '../../src/api/crd/crd.ts';
import { kinds } from '../../src/api/kinds.ts';
import { groupOf } from '../../src/clients/kubernetes/paths.ts';

/** What the operator may do in these tests, and nothing else: a call that it has no right to fails here as it would at home. */
export const operatorRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'kco' },
  rules: [
    ...Object.values<Kind>(kinds).flatMap(({ group, plural, owns = [] }) => [
      { apiGroups: [group], resources: [plural], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [group], resources: [`${plural}/status`], verbs: ['patch'] },
      ...owns.map((type) => ({
        apiGroups: [groupOf(type.apiVersion)],
        resources: [type.plural],
        verbs: ['create', 'get', 'list', 'patch', 'watch'],
      })),
    ]),
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'delete'] },
    { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
    { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
    { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch', 'create'] },
    { apiGroups: [''], resources: ['replicationcontrollers'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['daemonsets', 'deployments', 'replicasets', 'statefulsets'], verbs: ['get'] },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
    },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['list'] },
    { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['list'] },
    { apiGroups: ['apps'], resources: ['deployments/scale', 'statefulsets/scale'], verbs: ['get', 'patch', 'update'] },
  ],
};

/** Gives the role to the user `kco`. */
export const operatorBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'kco' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kco' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'kco' }],
};
