import { describe, expect, it } from '@jest/globals';
import type { CheckResult } from '../../src/server/checks.ts';
import { type OperatorView, probesOf } from '../../src/server/operator-probes.ts';

const well = (): CheckResult => ({ ok: true });
const ill = (message: string) => (): CheckResult => ({ ok: false, message });
const synced = () => [{ hasSynced: true, stalenessMs: 0 }];

const all: OperatorView = {
  kubernetes: well,
  temporal: well,
  lease: well,
  leader: () => 'leads',
  turns: () => 3,
  workers: () => ({ polls: 'RUNNING' }),
  pods: synced,
  kinds: [{ resource: 'targetapps', served: well, scopes: synced }],
  caches: {},
  pending: () => 0,
};
const resultsOf = (health: Partial<OperatorView>) =>
  Object.fromEntries(Object.entries(probesOf({ ...all, ...health }).readiness).map(([name, check]) => [name, check()]));

describe('being ready', () => {
  it('is every part by its name', () => {
    expect(resultsOf({})).toEqual({
      kubernetes: { ok: true },
      lease: { ok: true },
      leader: { ok: true, message: 'leads' },
      temporal: { ok: true },
      worker: { ok: true },
      pods: { ok: true },
      targetapps: { ok: true },
    });
  });

  it('speaks of namespaces where only some are watched', () => {
    const namespaces = ill('there is no namespace b');
    expect(resultsOf({ namespaces })).toMatchObject({ namespaces: { ok: false, message: 'there is no namespace b' } });
  });

  it('is not wanting for a follower', () => {
    expect(resultsOf({ leader: () => 'follows other' })).toMatchObject({ leader: { ok: true } });
  });

  it('is wanting while the others do not know of this replica', () => {
    expect(resultsOf({ lease: ill('not seen yet') })).toMatchObject({ lease: { ok: false } });
  });

  it.each(['CONNECTING', 'DRAINING', 'FAILED'])('is wanting while a worker is %s', (state) => {
    expect(resultsOf({ workers: () => ({ polls: state }) })).toMatchObject({ worker: { ok: false } });
  });

  it('of one kind takes nothing from another', () => {
    const absent = { resource: 'beacons', served: ill('apply the CRD'), scopes: synced };
    expect(resultsOf({ kinds: [...all.kinds, absent] })).toMatchObject({
      targetapps: { ok: true },
      beacons: { ok: true, degraded: true, message: 'apply the CRD' },
    });
    expect(resultsOf({ kinds: [absent] })).toMatchObject({ beacons: { ok: false } });
  });
});

describe('being alive', () => {
  it.each([
    ['CONNECTING', true],
    ['RUNNING', true],
    ['FAILED', false],
  ])('with a worker that is %s is %s', (state, ok) => {
    expect(probesOf({ ...all, workers: () => ({ polls: state }) }).health['worker']?.().ok).toBe(ok);
  });
});
