import { helm, images, kubectl, list, type Pod } from './cluster.ts';
import { until } from './command.ts';

/** The installation under test. */
export const release = 'kco-e2e';
export const system = 'kco-e2e';
export const operator = 'kco-e2e-kco-operator';

const values = {
  fullnameOverride: operator,
  image: { repository: images.operator.split(':')[0], tag: images.operator.split(':')[1] },
  temporal: { devServer: { enabled: true } },
  actions: {
    exec_command: { enabled: true },
    patch_resource: { enabled: true, resources: [{ apiGroups: [''], resources: ['configmaps'] }] },
  },
};

/** Installs or upgrades from a folder with a chart. */
export const installChart = (chart: string, ...more: string[]): Promise<string> => {
  const given = Object.entries(values).map(([key, value]) => `--set-json=${key}=${JSON.stringify(value)}`);
  // A CRD that an earlier release of another name has left belongs to that one, as Helm sees it.
  return helm('upgrade', '--install', '--take-ownership', release, chart, '-n', system, ...given, ...more);
};

export const install = (...more: string[]): Promise<string> => installChart('charts/kco-operator', ...more);

const selector = (component: string): string =>
  `app.kubernetes.io/instance=${release},app.kubernetes.io/component=${component}`;

export const operatorPods = (): Promise<Pod[]> => list<Pod>('pods', system, '-l', selector('operator'));

/** Pods of a component end as if their node had died. */
export const killPods = (component: 'operator' | 'temporal-dev-server'): Promise<string> =>
  kubectl('delete', 'pod', '-n', system, '--grace-period=0', '--force', '-l', selector(component));

/**
 * Ends Temporal's process; its container starts again, with the same database. Asked to by a container beside it, because
 * its own image need not have anything to say it with.
 */
export const restartTemporal = async (): Promise<void> => {
  const ofTemporal = selector('temporal-dev-server');
  const [pod] = await list<Pod>('pods', system, '-l', ofTemporal);
  const name = pod?.metadata.name ?? '';
  const restarts = () =>
    kubectl('get', 'pod', name, '-n', system, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}');
  const before = await restarts();
  const beside = ['--target=temporal', '--profile=restricted', `--image=${images.sampleApp}`, '--quiet'];
  await kubectl('debug', name, '-n', system, ...beside, '--', 'node', '-e', 'process.kill(1, "SIGTERM")');
  await until('Temporal to have been restarted', async () => (await restarts()) !== before);
};

/** Everything of the release that the cluster has, CRDs left out. */
export const leftOfRelease = async (): Promise<string[]> => {
  const types =
    'deployments,replicasets,pods,services,configmaps,serviceaccounts,secrets,roles,rolebindings,clusterroles,clusterrolebindings,networkpolicies,poddisruptionbudgets,persistentvolumeclaims,leases';
  const labelled = `app.kubernetes.io/instance=${release}`;
  const found = await kubectl('get', types, '--all-namespaces', '-l', labelled, '-o', 'name');
  return found.split('\n').filter(Boolean);
};

/** Takes everything away that the suite has made, except the CRDs. KCO_E2E_KEEP leaves it, to be looked at. */
export const removeAll = async (...namespaces: string[]): Promise<void> => {
  if (process.env['KCO_E2E_KEEP']) return;
  await helm('uninstall', release, '-n', system, '--ignore-not-found');
  await kubectl('delete', 'namespace', ...namespaces, system, '--ignore-not-found');
};
