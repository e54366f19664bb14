import { afterEach, describe, expect, it } from '@jest/globals';
import { KubeError } from '../../src/clients/kubernetes/client.ts';
import { createLeaderElection, type LeaderElection } from '../../src/controller/leader-election.ts';
import { heldBy, type Lease, type LeaseSpec, mayLead } from '../../src/controller/lease.ts';
import { eventually } from '../servers/processes.ts';
import { startStopwatch, strain } from '../support/pace.ts';

const lease = (spec: LeaseSpec, resourceVersion = '1'): Lease => ({
  metadata: { name: 'l', uid: 'u', resourceVersion },
  spec,
});
const held = lease({ holderIdentity: 'other', leaseDurationSeconds: 10 });

describe('whether a replica may lead', () => {
  it.each<[string, Lease | undefined, number, boolean]>([
    ['yes when there is no Lease yet', undefined, 0, true],
    ['yes when it was given back', lease({ holderIdentity: '' }), 0, true],
    ['yes when it holds it', lease({ holderIdentity: 'me' }), 0, true],
    ['no while another one holds it', held, 9_999, false],
    ['yes when the other one has said nothing for as long as the Lease lasts', held, 10_000, true],
  ])('%s', (_, found, nowMs, expected) => {
    expect(mayLead(found, 'me', { resourceVersion: '1', since: 0 }, nowMs)).toBe(expected);
  });

  it('no when the Lease was renewed since it was seen, however old its times look to this machine', () => {
    const renewed = lease({ holderIdentity: 'other', renewTime: '2001-01-01T00:00:00.000000Z' }, '2');
    expect(mayLead(renewed, 'me', { resourceVersion: '1', since: 0 }, 60_000)).toBe(false);
  });

  it('counts a change of the holder, and keeps the time since when it holds it', () => {
    const first = heldBy('me', { holderIdentity: 'other', leaseTransitions: 3 }, new Date(0));
    expect(first).toMatchObject({ leaseTransitions: 4, acquireTime: '1970-01-01T00:00:00.000000Z' });
    expect(heldBy('me', first, new Date(5_000))).toMatchObject({
      leaseTransitions: 4,
      acquireTime: first.acquireTime,
      renewTime: '1970-01-01T00:00:05.000000Z',
    });
  });
});

/** One Lease with optimistic locking, as the API server keeps it; `away` makes every call fail. */
const apiServer = () => {
  let stored: Lease | undefined;
  const state = { away: false, writes: 0 };
  const check = () => {
    if (state.away) throw new KubeError({ reason: 'ConnectFailed', message: 'away' });
  };
  const put = (spec: LeaseSpec) => {
    state.writes += 1;
    stored = lease(spec, String(state.writes));
    return stored as never;
  };
  const kube = {
    get: async () => {
      check();
      return stored as never;
    },
    create: async (_: unknown, body: unknown) => {
      check();
      if (stored !== undefined) throw new KubeError({ status: 409, reason: 'AlreadyExists', message: 'there' });
      return put((body as Lease).spec ?? {});
    },
    patch: async (_: unknown, __: unknown, { body }: { body: unknown }) => {
      check();
      const { metadata, spec } = body as Lease;
      if (metadata.resourceVersion !== stored?.metadata.resourceVersion)
        throw new KubeError({ status: 409, reason: 'Conflict', message: 'changed' });
      return put(spec ?? {});
    },
  };
  return { kube, state, holder: () => stored?.spec?.holderIdentity };
};

const running: LeaderElection[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((leader) => leader.stop()));
});

const replica = (kube: ReturnType<typeof apiServer>['kube'], identity: string) => {
  const told: string[] = [];
  const leader = createLeaderElection({
    kube,
    key: { namespace: 'kco-system', name: 'kco-operator' },
    identity,
    onStartedLeading: () => told.push('gain'),
    onStoppedLeading: () => told.push('loss'),
    onError: () => undefined,
  });
  running.push(leader);
  return { leader, told };
};

describe('replicas', () => {
  it('choose one of them', async () => {
    const { kube } = apiServer();
    const replicas = ['a', 'b', 'c'].map((identity) => replica(kube, identity).leader);
    await eventually('a leader', () => replicas.some(({ isLeader }) => isLeader));
    await eventually('all to know it', () => new Set(replicas.map(({ holder }) => holder)).size === 1);
    expect(replicas.filter(({ isLeader }) => isLeader)).toHaveLength(1);
  });

  it('hand over in about a second when the leader stops', async () => {
    const { kube } = apiServer();
    const first = replica(kube, 'a');
    await eventually('the first to lead', () => first.leader.isLeader);
    const second = replica(kube, 'b');
    await eventually('the second to follow', () => second.leader.holder === 'a');
    const sinceStopped = startStopwatch();
    await first.leader.stop();
    await eventually('the second to lead', () => second.leader.isLeader);
    expect(sinceStopped.stop()).toBeLessThan(1_400);
    expect(first.told).toEqual(['gain', 'loss']);
  });

  it('take over from a leader that says nothing any more, once its Lease has run out', async () => {
    const { kube, state } = apiServer();
    const gone = replica(kube, 'gone');
    await eventually('it to lead', () => gone.leader.isLeader);
    // A process that is killed gives nothing back: its calls just stop.
    const { patch, get } = kube;
    const second = replica({ ...kube, patch, get }, 'b');
    kube.patch = kube.get = () => new Promise(() => undefined);
    running.splice(running.indexOf(gone.leader), 1);
    const [writes, sinceKilled] = [state.writes, startStopwatch()];
    await eventually('the second to lead', () => second.leader.isLeader);
    expect(state.writes).toBeGreaterThan(writes);
    // The Lease's ten seconds, and at most a look until the second sees them begin and one until it sees them over.
    expect(sinceKilled.stop()).toBeLessThan(12_500);
  });

  it('count their time from when they asked, not from when they were answered', async () => {
    const { kube, state } = apiServer();
    let slow = false;
    const { patch } = kube;
    let askedAt = 0;
    kube.patch = async (...args) => {
      askedAt = performance.now();
      const written = await patch(...args);
      if (slow) await new Promise((resolve) => setTimeout(resolve, 1_900));
      return written;
    };
    const { leader } = replica(kube, 'a');
    await eventually('it to lead', () => leader.isLeader);
    slow = true;
    const { writes } = state;
    await eventually('a renewal to be written', () => state.writes > writes);
    // The next look after that answer does not get through: six seconds without a renewal are counted from the asking.
    kube.get = () => Promise.reject(new KubeError({ reason: 'ConnectFailed', message: 'away' }));
    const renewedAt = askedAt;
    await eventually('it to stop', () => !leader.isLeader);
    expect((performance.now() - renewedAt) / strain()).toBeLessThan(6_000 + 1_500 + 300);
  });

  it('stop leading when they cannot renew, before another one may begin', async () => {
    const { kube, state } = apiServer();
    const { leader, told } = replica(kube, 'a');
    await eventually('it to lead', () => leader.isLeader);
    state.away = true;
    const sinceLost = startStopwatch();
    await eventually('it to stop', () => !leader.isLeader);
    expect(sinceLost.stop()).toBeLessThan(10_000);
    state.away = false;
    await eventually('it to lead again', () => leader.isLeader);
    expect(told).toEqual(['gain', 'loss', 'gain']);
  });
});
