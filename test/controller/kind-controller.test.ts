import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';

import { HeldTurns } from '../../src/activities/held-turns.ts';
import { Lookouts } from '../../src/activities/lookouts.ts';
import type { WatchedApp } from '../../src/activities/target-app/watched-app.ts';
import { createKube, type Kube, type KubeObject } from '../../src/clients/kubernetes/client.ts';
import { createControllers } from '../../src/controller/controllers.ts';
import { createKindController, type KindController } from '../../src/controller/kind-controller.ts';
import { registrations } from '../../src/controller/kinds/index.ts';
import { exportTargetApps } from '../../src/controller/kinds/target-app.ts';
import { createMetrics } from '../../src/telemetry/metrics/index.ts';
import type { ExportedFields } from '../../src/telemetry/metrics/target-app/exported-fields.ts';
import { eventually } from '../servers/processes.ts';
import { type FakeApiServer, startFakeApiServer } from '../support/fake-api-server.ts';

const silent = { debug() {}, info() {}, warning() {}, error() {}, with: () => silent };
const nothing = async () => undefined;

const object = (name: string, state: Record<string, unknown>, metrics: string[]): KubeObject =>
  ({
    metadata: { namespace: 'shop', name, uid: `uid-${name}`, resourceVersion: '1', generation: 1 },
    spec: { graphqlEndpoint: '/graphql', metrics },
    status: { phase: 'Monitoring', observedGeneration: 1, state },
  }) as KubeObject;

const objects = [
  object('orders', { 'orders-1': { tasks: 3, health: 'sick "\\"' }, 'orders-2': { tasks: 5, health: 'well' } }, [
    'tasks',
    'health',
  ]),
  object('carts', { 'carts-1': { tasks: 1 } }, []),
];

let api: FakeApiServer;
let kube: Kube;
let served: KindController<WatchedApp>;
afterEach(async () => {
  await served.controller.stop();
  await Promise.all([served.cache.stop(), kube.close()]);
  await api.close();
});

/** Serves TargetApps that an API server lists; what else happens to them its watch says. */
const serving = async () => {
  let watching: ServerResponse | undefined;
  api = await startFakeApiServer({
    answer: (response, { url = '' }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      if (!url.includes('watch=true'))
        response.end(JSON.stringify({ items: objects, metadata: { resourceVersion: '1' } }));
      else {
        response.flushHeaders();
        watching = response;
      }
    },
  });
  kube = createKube({ kubeconfig: api.kubeconfig });
  const metrics = createMetrics({ version: '0', registry: new Registry() });
  const starter = { start: nothing, signalWithStart: nothing, signal: nothing, running: async () => new Set<string>() };
  const openTurns = { release: async () => false };
  const state = { isMine: false };
  const owns = () => state.isMine;
  const telling = { starter, openTurns, heldTurns: new HeldTurns(), lookouts: new Lookouts(), owns };
  served = createKindController(registrations.TargetApp, telling, { kube, namespaces: [], metrics, log: silent });
  exportTargetApps(served, owns, metrics);
  served.cache.start();
  await eventually('the watch to begin', () => served.cache.hasSynced() && watching !== undefined);
  const series = async () =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith('operator_kco_tapp_field'));
  const say = (type: string, of: KubeObject) =>
    watching?.write(
      `${JSON.stringify({ type, object: { ...of, metadata: { ...of.metadata, resourceVersion: '2' } } })}\n`,
    );
  return { series, say, metrics, starter, state };
};

describe('a TargetApp that goes', () => {
  it.each([
    ['when it is deleted', 'DELETED', {}],
    [
      'when its deletion begins, though a finalizer holds it',
      'MODIFIED',
      { deletionTimestamp: '2026-01-01T00:00:00Z' },
    ],
  ])('takes its series and what is remembered with it, %s, on a follower too', async (_, type, metadata) => {
    const { say, metrics, starter } = await serving();
    const gone: string[] = [];
    served.whenGone((app) => gone.push(app.metadata.name));
    createControllers([served], { metrics, starter });
    for (const tapp of ['orders', 'carts'])
      metrics.polled({ namespace: 'shop', tapp, result: 'unchanged', seconds: 1 });
    const of = object('orders', {}, []);
    say(type, { ...of, metadata: { ...of.metadata, ...metadata } });
    await eventually('the end to be seen', () => gone.length > 0);
    expect(gone).toEqual(['orders']);
    const series = (await metrics.text())
      .split('\n')
      .filter((line) => /^operator_kco_(tapp_polls_total|active)/.test(line));
    expect(series).toEqual([
      'operator_kco_tapp_polls_total{namespace="shop",tapp="carts",result="unchanged"} 1',
      'operator_kco_active_monitors{namespace="shop"} 1',
    ]);
  });
});

const labels = (pod: string, field: string) => `namespace="shop",tapp="orders",pod="${pod}",field="${field}"`;
const allSeries = [
  `operator_kco_tapp_field_state{${labels('orders-1', 'health')},state="sick \\"\\\\\\""} 1`,
  `operator_kco_tapp_field_state{${labels('orders-2', 'health')},state="well"} 1`,
  `operator_kco_tapp_field_value{${labels('orders-1', 'tasks')}} 3`,
  `operator_kco_tapp_field_value{${labels('orders-2', 'tasks')}} 5`,
  'operator_kco_tapp_fields_withheld{namespace="shop",tapp="orders"} 0',
];

describe('the fields that TargetApps export', () => {
  it('are series of the replica that looks after it, and of no other', async () => {
    const { series, state } = await serving();
    expect(await series()).toEqual([]);
    state.isMine = true;
    expect((await series()).sort()).toEqual(allSeries);
    state.isMine = false;
    expect(await series()).toEqual([]);
  });

  it('follow the status, and leave nothing behind of what is gone', async () => {
    const { series, say, state } = await serving();
    state.isMine = true;
    await series();
    const readings = (): ExportedFields['readings'] =>
      served.present().flatMap(({ exported }) => exported?.readings ?? []);
    say('MODIFIED', object('orders', { 'orders-2': { tasks: 6, health: 'sick' } }, ['tasks', 'health']));
    await eventually('the change to be seen', () => readings().some(({ value }) => value === 6));
    expect((await series()).sort()).toEqual([
      `operator_kco_tapp_field_state{${labels('orders-2', 'health')},state="sick"} 1`,
      `operator_kco_tapp_field_value{${labels('orders-2', 'tasks')}} 6`,
      'operator_kco_tapp_fields_withheld{namespace="shop",tapp="orders"} 0',
    ]);
    say('DELETED', object('orders', {}, ['tasks']));
    await eventually('the deletion to be seen', () => readings().length === 0);
    expect(await series()).toEqual([]);
  });
});
