import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createToolLocator } from '../../dev/servers/locate-tool.ts';
import { startServers } from '../../dev/servers/start-servers.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { historyText } from '../support/history-text.ts';
import { createKubectl, type Kubectl } from '../support/kubectl.ts';
import { operatorBinding } from '../support/operator-role.ts';
import { type OperatorProcess, operatorProcess } from '../support/operator-under-test.ts';
import { type Copy, followed, linesOf, recipes } from '../support/recipe.ts';
import { createTestStack } from '../support/test-stack.ts';
import { until } from '../support/until.ts';

const recipe = recipes.filter(({ title }) => title === 'Add a kind');

interface Beacon {
  metadata: { uid: string; finalizers?: string[]; deletionTimestamp?: string };
  status?: {
    phase: string;
    observedGeneration: number;
    conditions: { type: string; status: string; reason: string; message: string; lastTransitionTime: string }[];
  };
}
interface ConfigMap {
  metadata: { labels?: Record<string, string>; ownerReferences?: { uid: string; controller: boolean }[] };
  data: { message: string };
}

const stack = createTestStack();
let copy: Copy;
let kubectl: Kubectl;
let temporal: Client;
let spawnOperator: () => Promise<OperatorProcess>;
let operator: OperatorProcess;

const run = async (args: string[], input?: string): Promise<string> => {
  const { code, stdout, stderr } = await kubectl(args, input);
  if (code !== 0) throw new Error(stderr);
  return stdout;
};
const apply = (object: JsonObject) => run(['apply', '-f', '-'], JSON.stringify(object));
const found = async <T>(type: string, name: string): Promise<T | undefined> => {
  const text = await run(['get', type, name, '--ignore-not-found', '-o', 'json']);
  return text === '' ? undefined : (JSON.parse(text) as T);
};
const light = (name: string, spec: JsonObject) =>
  apply({ apiVersion: 'operator.kco.local/v1alpha1', kind: 'Beacon', metadata: { name }, spec });
const beacon = (name: string) => found<Beacon>('beacon', name);
const messageOf = async (name: string) => (await found<ConfigMap>('configmap', name))?.data.message;
const says = (name: string, message: string) =>
  until(`the ConfigMap ${name} says ${message}`, async () => (await messageOf(name)) === message, {
    instead: () => beacon(name),
  });
const isIn = (name: string, phase: string) =>
  until(`the Beacon ${name} is ${phase}`, async () => (await beacon(name))?.status?.phase === phase, {
    instead: () => beacon(name),
  });
const handleOf = async (name: string) => {
  const { metadata } = await until(`the Beacon ${name} is there`, () => beacon(name));
  return temporal.workflow.getHandle(`beacon/default/${name}/${metadata.uid}`);
};

beforeAll(async () => {
  copy = followed(recipe);
  await stack.push('copy', copy.remove);
  expect(copy.run('dev/generate-crds.ts')).toBe('');
  const servers = await startServers({ headless: true });
  await stack.push('servers', servers.stop, 60_000);
  kubectl = createKubectl(await createToolLocator().locate('kubectl'), servers.kubernetes.kubeconfig);
  await run(['apply', '-f', join(copy.root, 'crds')]);
  const role = JSON.parse(
    copy.output(
      "import { operatorRole } from './test/support/operator-role.ts'; console.log(JSON.stringify(operatorRole))",
    ),
  );
  await apply(role);
  await apply(operatorBinding as JsonObject);
  const connection = await Connection.connect({ address: servers.temporal.address });
  await stack.push('temporal connection', () => connection.close());
  temporal = new Client({ connection, namespace: servers.temporal.namespace });
  const settings = {
    KUBECONFIG: await servers.kubernetes.kubeconfigFor('kco'),
    KCO_TEMPORAL_ADDRESS: servers.temporal.address,
    KCO_TEMPORAL_NAMESPACE: servers.temporal.namespace,
  };
  spawnOperator = async () => {
    const process = await operatorProcess(settings, copy.root);
    await stack.push('operator', () => process.end('SIGKILL'), 60_000);
    await process.ready();
    return process;
  };
  operator = await spawnOperator();
}, 600_000);
afterAll(stack.end);

describe('the kind of the recipe in CONTRIBUTING.md', () => {
  it('takes at most 120 lines in at most five files', () => {
    const [{ blocks } = { blocks: [] }] = recipe;
    expect(new Set(blocks.map(({ path }) => path)).size).toBeLessThanOrEqual(5);
    expect(blocks.reduce((sum, block) => sum + linesOf(block), 0)).toBeLessThanOrEqual(120);
  });

  it('does what its spec says, and reports it with conditions, Events and metrics', async () => {
    await light('north', { message: 'here' });
    await isIn('north', 'Lit');
    const { metadata, status } = await until('it is there', () => beacon('north'));
    const map = await found<ConfigMap>('configmap', 'north');
    expect(map?.data).toEqual({ message: 'here' });
    expect(map?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'kco' });
    expect(map?.metadata.ownerReferences).toMatchObject([{ uid: metadata.uid, controller: true }]);
    expect(status).toMatchObject({
      observedGeneration: 1,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Lit' }],
    });
    const events = await until('the Event is recorded', () =>
      run(['get', 'events', '-o', 'name', '--field-selector', 'reason=Lit']),
    );
    expect(events).not.toBe('');
    expect(await operator.metrics()).toContain('operator_kco_objects{kind="Beacon",namespace="default"} 1');
    await light('north', { message: 'there' });
    await says('north', 'there');
  });

  it('mends what somebody else changes or deletes of what it owns', async () => {
    await run(['patch', 'configmap', 'north', '--type', 'merge', '-p', '{"data":{"message":"stolen"}}']);
    await says('north', 'there');
    await run(['delete', 'configmap', 'north']);
    await says('north', 'there');
  });

  it('leaves it alone while it is suspended, by its spec or by an update', async () => {
    await light('north', { message: 'there', suspend: true });
    await isIn('north', 'Suspended');
    await run(['patch', 'configmap', 'north', '--type', 'merge', '-p', '{"data":{"message":"stolen"}}']);
    const handle = await handleOf('north');
    await expect(handle.executeUpdate('pollNow')).rejects.toThrow();
    await handle.executeUpdate('suspend');
    await light('north', { message: 'there' });
    await until('the spec is seen', async () => (await beacon('north'))?.status?.observedGeneration === 4);
    expect(await messageOf('north')).toBe('stolen');
    await handle.executeUpdate('resume');
    await says('north', 'there');
    await isIn('north', 'Lit');
  });

  it('takes nothing that another one has made, and says so', async () => {
    await run(['create', 'configmap', 'taken', '--from-literal=message=mine']);
    await light('taken', { message: 'ours' });
    await isIn('taken', 'Failed');
    expect((await beacon('taken'))?.status?.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'NotOwned', message: expect.stringContaining('ConfigMap taken') },
    ]);
    expect(await messageOf('taken')).toBe('mine');
  });

  it('goes on where it was when the operator is killed', async () => {
    operator.send('SIGKILL');
    await light('north', { message: 'back' });
    operator = await spawnOperator();
    await says('north', 'back');
  });

  it('ends its workflow when it is deleted', async () => {
    const handle = await handleOf('north');
    await run(['delete', 'beacon', 'north']);
    await handle.result();
  });

  it('cleans up before it goes, when it has something to clean up', async () => {
    await operator.end('SIGTERM');
    copy.insert('src/workflows/beacon/beacon.ts', '  heartbeatMs: () => undefined,\n', farewell);
    const mayPatch = { apiGroups: ['operator.kco.local'], resources: ['beacons'], verbs: ['patch'] };
    await run([
      'patch',
      'clusterrole',
      'kco',
      '--type',
      'json',
      '-p',
      JSON.stringify([{ op: 'add', path: '/rules/-', value: mayPatch }]),
    ]);
    operator = await spawnOperator();
    await light('south', { message: 'here' });
    await until(
      'it is held',
      async () => (await beacon('south'))?.metadata.finalizers?.[0] === 'operator.kco.local/finalizer',
    );
    await says('south', 'here');
    const handle = await handleOf('south');
    await run(['delete', 'beacon', 'south']);
    await handle.result();
    // What it owned goes with it, so only the history knows what was applied last.
    expect(historyText(await handle.fetchHistory())).toMatch(/message\\*":\\*"gone/);
    expect(await beacon('south')).toBeUndefined();
  });
});

const farewell = `  finalize: async ({ app }) => {
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: app.name }, data: { message: 'gone' } };
    await applyOwned('Beacon', app, configMap);
  },
`;
