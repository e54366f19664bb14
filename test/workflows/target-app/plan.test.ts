import { describe, expect, it } from '@jest/globals';
import { newMemory } from '../../../src/domain/target-app/memory.ts';
import type { Observation } from '../../../src/domain/target-app/observation.ts';
import { newRun } from '../../../src/workflows/run-state.ts';
import { plan } from '../../../src/workflows/target-app/plan.ts';
import { presentation } from '../../../src/workflows/target-app/presentation.ts';
import { aPlan, appUid, aRule, at, uidOf, unhealthy } from '../../support/domain.ts';

const app = { namespace: 'shop', name: 'cart', uid: appUid };
const ill: Observation = { matched: 1, readings: [{ subject: uidOf('a'), name: 'a', hash: 'h', ...unhealthy }] };
const same: Observation = { matched: 1 };

describe('an observation in which nothing differs', () => {
  it('is news when a rule is held back for a reason that is told already, and another one was noted since', () => {
    const rule = aRule({ repeatMs: 10_000, cooldownMs: 15_000, maxFirings: { max: 1, perMs: 30_000 } });
    let memory = { ...newMemory(), plan: aPlan({ rules: [rule] }) };
    const planned = (seen: Observation, second: number) => {
      const { memory: next, isNews } = plan(newRun(presentation, app, memory), { ...seen, changes: {} }, at(second));
      // Its actions end at once.
      memory = { ...next, plan: memory.plan, pending: [] };
      return [second, isNews, memory.rules['restart']?.lastSuppression?.reason];
    };
    expect([
      planned(ill, 0),
      planned(same, 5),
      planned(same, 10),
      planned(same, 20),
      planned(same, 25),
      planned(same, 31),
      planned(same, 41),
      planned(same, 42),
    ]).toEqual([
      [0, true, undefined],
      [5, false, undefined],
      [10, true, 'Cooldown'],
      [20, true, 'MaxFirings'],
      [25, false, 'MaxFirings'],
      [31, true, 'MaxFirings'],
      [41, true, 'Cooldown'],
      [42, false, 'Cooldown'],
    ]);
  });
});

describe('an observation that was given too little time', () => {
  it('asks for another one, and changes nothing but the memory', () => {
    const run = newRun(presentation, app, { ...newMemory(), plan: aPlan() });
    run.dirty = false;
    const before = structuredClone({ ...run, kind: undefined, underWay: undefined });
    const planned = plan(run, { matched: 3, unasked: 'again', plan: aPlan({ generation: 2 }), changes: {} }, at(0));
    expect(planned).toMatchObject({ again: true, isNews: true, memory: { matched: 3, plan: { generation: 2 } } });
    expect({ ...run, kind: undefined, underWay: undefined }).toEqual(before);
  });
});
