import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Kube } from '../../src/clients/kubernetes/client.ts';
import { leases as leaseRef } from '../../src/controller/lease-client.ts';
import { createOwnership } from '../../src/controller/ownership.ts';
import { createReplicas } from '../../src/controller/replicas.ts';
import type { Part } from '../../src/lifecycle/shutdown-stack.ts';
import { createMetrics } from '../../src/telemetry/metrics/index.ts';
import { eventually } from '../servers/processes.ts';

const silent = { debug() {}, info() {}, warning() {}, error() {}, with: () => silent };
const uids = Array.from({ length: 200 }, (_, i) => `uid-${i}`);

/** Leases in memory, and everybody who watches them. */
function leases() {
  const stored = new Map<string, number>();
  const watchers = new Set<(line: string) => void>();
  let version = 1;
  const objectOf = (name: string) => ({
    metadata: { name, namespace: 'kco', uid: `uid-of-${name}`, resourceVersion: String(stored.get(name)) },
  });
  const tell = (type: string, name: string, object: object = objectOf(name)) => {
    for (const watcher of watchers) watcher(`${JSON.stringify({ type, object })}\n`);
  };
  const kube = {
    list: async () => ({ items: [...stored.keys()].map(objectOf), metadata: { resourceVersion: String(version) } }),
    watch: async (_: unknown, { signal }: { signal: AbortSignal }) => {
      const lines: string[] = [];
      let wake: () => void = () => undefined;
      const add = (line: string) => {
        lines.push(line);
        wake();
      };
      watchers.add(add);
      signal.addEventListener('abort', () => wake());
      return (async function* () {
        while (!signal.aborted) {
          const line = lines.shift();
          if (line !== undefined) yield Buffer.from(line);
          else await new Promise<void>((resolve) => (wake = resolve));
        }
        watchers.delete(add);
      })();
    },
    patch: async (_: unknown, { name }: { name: string }) => {
      const type = stored.has(name) ? 'MODIFIED' : 'ADDED';
      version += 1;
      stored.set(name, version);
      tell(type, name);
      return objectOf(name);
    },
    delete: async (_: unknown, { name }: { name: string }) => {
      const object = objectOf(name);
      if (!stored.delete(name)) return 'gone';
      version += 1;
      tell('DELETED', name, { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
      return 'deleted';
    },
  } as unknown as Kube;
  return { kube, stored };
}

const running: Part[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((replicas) => replicas.stop()));
});

const join = (pod: string, kube: ReturnType<typeof leases>['kube'], isReady = () => true) => {
  const ownership = createOwnership();
  const released: number[] = [];
  const handedOver: boolean[] = [];
  ownership.onChange(async (isHandedOver) => {
    released.push(uids.filter(ownership.owns).length);
    handedOver.push(isHandedOver);
  });
  const replicas = createReplicas({
    ...{ kube, ownership, isReady, log: silent },
    metrics: createMetrics({ version: '0', registry: new Registry() }),
    identity: { namespace: 'kco', pod },
    isLeading: () => false,
  });
  replicas.start();
  running.push(replicas);
  return { replicas, ownership, released, handedOver, owned: () => uids.filter(ownership.owns) };
};

describe('replicas', () => {
  it('own nothing before they are ready, and all when they are alone', async () => {
    const { kube, stored } = leases();
    const ready = { is: false };
    const one = join('kco-0', kube, () => ready.is);
    await eventually('it has looked', () => true);
    expect([one.owned().length, stored.size]).toEqual([0, 0]);
    ready.is = true;
    await eventually('it owns all', () => one.owned().length === uids.length);
  });

  it('share all objects without a word to each other, and each goes to one of them', async () => {
    const { kube } = leases();
    const all = [join('kco-0', kube), join('kco-1', kube), join('kco-2', kube)];
    await eventually('they share', () => all.every(({ owned }) => owned().length > 30 && owned().length < 110));
    expect(all.flatMap(({ owned }) => owned()).sort()).toEqual([...uids].sort());
  });

  it('take over from one that stops, which lets go of all', async () => {
    const { kube } = leases();
    const [one, two] = [join('kco-0', kube), join('kco-1', kube)];
    await eventually('they share', () => one.owned().length > 0 && two.owned().length > 0);
    await two.replicas.stop();
    expect([one.owned().length, two.owned().length, two.released.at(-1)]).toEqual([uids.length, 0, 0]);
  });

  it('are handed over what others look after that are there, or left with a word', async () => {
    const { kube } = leases();
    const one = join('kco-0', kube);
    await eventually('it owns all', () => one.owned().length === uids.length);
    expect(one.handedOver).toEqual([false]);
    const two = join('kco-1', kube);
    await eventually('they share', () => two.owned().length > 0 && one.owned().length < uids.length);
    expect([one.handedOver.at(-1), two.handedOver.at(-1)]).toEqual([true, true]);
    await two.replicas.stop();
    expect(one.handedOver).toEqual([false, true, true]);
  });

  it('wait with their Lease until those whose Leases they find are seen to renew, or not', async () => {
    const { kube, stored } = leases();
    await kube.patch(leaseRef, { namespace: 'kco', name: 'kco-replica-dead' }, { type: 'apply', body: {} });
    const began = performance.now();
    const one = join('kco-0', kube);
    await eventually('it owns all', () => one.owned().length === uids.length);
    expect(performance.now() - began).toBeLessThan(9_000);
    expect(one.handedOver.at(-1)).toBe(false);
    stored.delete('kco-replica-dead');
    const joined = performance.now();
    const two = join('kco-1', kube);
    await eventually('they share', () => two.owned().length > 0 && one.owned().length < uids.length);
    expect(performance.now() - joined).toBeGreaterThan(1_000);
    expect(two.handedOver.at(-1)).toBe(true);
  }, 30_000);

  it('are handed over nothing by one that went silent, nor by themselves before they started again', async () => {
    const { kube } = leases();
    await kube.patch(leaseRef, { namespace: 'kco', name: 'kco-replica-kco-0' }, { type: 'apply', body: {} });
    const one = join('kco-0', kube);
    await eventually('it owns all', () => one.owned().length === uids.length);
    await kube.patch(leaseRef, { namespace: 'kco', name: 'kco-replica-dead' }, { type: 'apply', body: {} });
    await eventually('they share', () => one.owned().length < uids.length);
    expect(one.handedOver).toEqual([false, true]);
    await eventually('it owns all again', () => one.owned().length === uids.length);
    expect(one.handedOver).toEqual([false, true, false]);
  }, 30_000);
});
