import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../src/clients/kubernetes/client.ts';
import { createLeader, type LeaderOptions } from '../../src/controller/leader.ts';
import { until } from '../support/until.ts';

const silent = () => undefined;

/** A replica whose API server has this Lease, or none; and what was told of leading, in order. */
const replicaWith = (isElected: boolean, lease?: object) => {
  const said: string[] = [];
  const log: LeaderOptions['log'] = {
    ...{ debug: silent, warning: silent, error: silent },
    info: (line) => void said.push(line),
    with: () => log,
  };
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
  });
  return { leader, said };
};

describe('a replica', () => {
  it('leads at once where nobody is elected', async () => {
    const { leader } = replicaWith(false);
    leader.start();
    expect([leader.isLeading(), leader.describe()]).toEqual([true, 'leads']);
    await leader.stop();
  });

  it('follows before it is elected, leads then, and no more once it has stopped', async () => {
    const { leader, said } = replicaWith(true);
    expect(leader.describe()).toBe('follows nobody yet');
    leader.start();
    await until('it leads', () => leader.isLeading());
    expect(leader.describe()).toBe('leads');
    await leader.stop();
    expect(leader.isLeading()).toBe(false);
    expect(said).toEqual(['became leader', 'lost leadership']);
  });

  it('says whom it follows', async () => {
    const spec = { holderIdentity: 'other', leaseDurationSeconds: 15 };
    const { leader, said } = replicaWith(true, { metadata: { resourceVersion: '1' }, spec });
    leader.start();
    await until('it knows', () => leader.describe() === 'follows other');
    await leader.stop();
    expect(said).toEqual([]);
  });

  it('that never stood for election has nothing to give back', async () => {
    const { leader, said } = replicaWith(true);
    await leader.stop();
    expect(said).toEqual([]);
  });
});
