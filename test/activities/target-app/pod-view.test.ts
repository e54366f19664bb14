import { describe, expect, it } from '@jest/globals';
import { podView } from '../../../src/activities/target-app/pod-view.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/client.ts';

interface Given {
  metadata?: object;
  spec?: object;
  status?: object;
}

const viewOf = ({ metadata, spec, status }: Given) =>
  podView({
    metadata: { uid: 'u', name: 'p', namespace: 'shop', resourceVersion: '1', ...metadata },
    spec,
    status,
  } as KubeObject);

const container = (name: string, ...ports: object[]) => ({ name, ports });
const annotated = (name: string) => ({ annotations: { 'kubectl.kubernetes.io/default-container': name } });

describe('what is kept of a pod', () => {
  it('is little where the pod says little', () => {
    expect(viewOf({})).toEqual({
      uid: 'u',
      name: 'p',
      namespace: 'shop',
      labels: {},
      phase: 'Unknown',
      ports: [],
      terminating: false,
    });
  });

  it('names the controller that would make another one', () => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'p-1', uid: 'r', controller: true };
    const other = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'n' };
    const { controller: _, ...kept } = owner;
    expect(viewOf({ metadata: { ownerReferences: [other, owner] } }).owner).toEqual(kept);
    expect(viewOf({ metadata: { ownerReferences: [other] } }).owner).toBeUndefined();
  });

  it.each([
    ['True', { status: true, since: 1_000 }],
    ['False', { status: false, since: 1_000 }],
    ['Unknown', { status: false, since: 1_000 }],
  ])('says whether it is Ready, and since when: %s', (status, ready) => {
    const conditions = [{ type: 'Ready', status, lastTransitionTime: '1970-01-01T00:00:01Z' }];
    expect(viewOf({ status: { conditions } }).ready).toEqual(ready);
  });

  it('says when its app was started: the default container, else the pod', () => {
    const running = (name: string, startedAt: string) => ({ name, state: { running: { startedAt } } });
    const startTime = '1970-01-01T00:00:02Z';
    const spec = { containers: [container('app'), container('proxy')] };
    const containerStatuses = [running('proxy', '1970-01-01T00:00:03Z'), running('app', '1970-01-01T00:00:04Z')];
    const creationTimestamp = '1970-01-01T00:00:01Z';
    expect(viewOf({ metadata: { creationTimestamp }, spec, status: { startTime, containerStatuses } })).toMatchObject({
      createdAt: 1_000,
      startedAt: 4_000,
    });
    expect(viewOf({ spec, status: { startTime } }).startedAt).toBe(2_000);
    expect(viewOf({ spec, status: { startTime: 'soon' } })).not.toHaveProperty('startedAt');
  });

  it.each([
    ['all said', { initialDelaySeconds: 5, failureThreshold: 30, periodSeconds: 2 }, 65_000],
    ['nothing said', {}, 30_000],
  ])('says what its startup probes allow it to take: %s', (_, startupProbe, allowance) => {
    const containers = [
      { name: 'app', startupProbe },
      { name: 'proxy', startupProbe: { failureThreshold: 1 } },
    ];
    expect(viewOf({ spec: { containers } }).startupMs).toBe(allowance);
    expect(viewOf({ spec: { containers: [{ name: 'app' }] } })).not.toHaveProperty('startupMs');
  });
});

describe('the port that is polled when nobody says which', () => {
  const proxy = container('proxy', { name: 'envoy', containerPort: 15_090 });
  const app = container('app', { name: 'http', containerPort: 8_080 }, { containerPort: 9_090 });
  const silent = container('silent');
  const udp = container('dns', { containerPort: 53, protocol: 'UDP' }, { containerPort: 8_053, protocol: 'TCP' });

  it.each<[string, Given, number | undefined, string]>([
    ['the first of the first container', { spec: { containers: [app, proxy] } }, 8_080, 'app'],
    ['of an injected proxy, where nobody says otherwise', { spec: { containers: [proxy, app] } }, 15_090, 'proxy'],
    ['of the annotated container', { metadata: annotated('app'), spec: { containers: [proxy, app] } }, 8_080, 'app'],
    [
      'none where the annotated container declares none: that of the proxy is not the app',
      { metadata: annotated('silent'), spec: { containers: [proxy, silent] } },
      undefined,
      'silent',
    ],
    [
      'as ever where the annotation names no container',
      { metadata: annotated('gone'), spec: { containers: [app, proxy] } },
      8_080,
      'app',
    ],
    ['the first there is', { spec: { containers: [silent, app] } }, 8_080, 'silent'],
    ['never one of UDP', { spec: { containers: [udp] } }, 8_053, 'dns'],
    [
      'of the containers before those of a sidecar',
      { spec: { initContainers: [{ ...proxy, restartPolicy: 'Always' }], containers: [app] } },
      8_080,
      'app',
    ],
    [
      'of an annotated sidecar, too',
      {
        metadata: annotated('proxy'),
        spec: { initContainers: [{ ...proxy, restartPolicy: 'Always' }], containers: [app] },
      },
      15_090,
      'proxy',
    ],
    [
      'never one of a container that has run before them',
      { spec: { initContainers: [proxy], containers: [silent] } },
      undefined,
      'silent',
    ],
  ])('is %s', (_, given, defaultPort, defaultContainer) => {
    expect(viewOf(given)).toMatchObject({ defaultContainer });
    expect(viewOf(given).defaultPort).toBe(defaultPort);
  });

  it('may be chosen by the name of any port of a container that runs', () => {
    const spec = { initContainers: [{ ...proxy, restartPolicy: 'Always' }], containers: [app] };
    expect(viewOf({ spec }).ports).toEqual([
      { name: 'http', port: 8_080 },
      { port: 9_090 },
      { name: 'envoy', port: 15_090 },
    ]);
  });
});
