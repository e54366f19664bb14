import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../src/clients/kubernetes/client.ts';
import { createLeader, type LeaderOptions } from '../../src/controller/leader.ts';
import { until } from '../support/until.ts';

const silent = () => undefined;
const log: LeaderOptions['log'] = { debug: silent, info: silent, warning: silent, error: silent, with: () => log };

/** A replica whose API server has this Lease, or none; and what was told of leading, in order. */
const replicaWith = (isElected: boolean, lease?: object) => {
  const turns: boolean[] = [];
  const leader = createLeader({
    kube: {
      get: async <T>() => lease as T | undefined,
      create: async <T extends KubeObject>() => ({}) as T,
      patch: async <T extends KubeObject>() => ({}) as T,
    } as unknown as LeaderOptions['kube'],
    log,
    metrics: { failed: silent },
    isElected,
    identity: { namespace: 'default', pod: 'this' },
    setLeading: (leading) => void turns.push(leading),
  });
  return { leader, turns };
};

describe('a replica', () => {
  it('leads at once where nobody is elected', async () => {
    const { leader, turns } = replicaWith(false);
    leader.start();
    expect([turns, leader.describe()]).toEqual([[true], 'leads']);
    await leader.stop();
  });

  it('follows before it is elected, leads then, and no more once it has stopped', async () => {
    const { leader, turns } = replicaWith(true);
    expect(leader.describe()).toBe('follows nobody yet');
    leader.start();
    await until('it leads', () => turns.length > 0);
    expect(leader.describe()).toBe('leads');
    await leader.stop();
    expect(turns).toEqual([true, false]);
  });

  it('says whom it follows', async () => {
    const spec = { holderIdentity: 'other', leaseDurationSeconds: 15 };
    const { leader, turns } = replicaWith(true, { metadata: { resourceVersion: '1' }, spec });
    leader.start();
    await until('it knows', () => leader.describe() === 'follows other');
    await leader.stop();
    expect(turns).toEqual([]);
  });

  it('that never stood for election has nothing to give back', async () => {
    const { leader, turns } = replicaWith(true);
    await leader.stop();
    expect(turns).toEqual([]);
  });
});
