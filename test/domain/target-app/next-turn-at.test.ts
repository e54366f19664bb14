import { describe, expect, it } from '@jest/globals';
import { nextPollAt } from '../../../src/domain/schedule.ts';
import { type Memory, newMemory } from '../../../src/domain/target-app/memory.ts';
import { nextTurnAt } from '../../../src/domain/target-app/next-turn-at.ts';
import { aPlan, appUid, at } from '../../support/domain.ts';

const problem = { field: 'spec.query', message: 'is empty' };

describe('the next turn', () => {
  it.each<[string, Partial<Memory>, number]>([
    ['of one that is not observed yet comes a second later', {}, at(1)],
    ['of one that is polled comes at its phase', { plan: aPlan() }, nextPollAt(appUid, 30_000, at(0))],
    ['of one that waits in its observation comes at once', { plan: aPlan({ turnMs: 60_000 }) }, at(0)],
    ['of one that is suspended comes in five minutes', { plan: aPlan({ suspend: true }) }, at(300)],
    ['so it does where an update has suspended it', { plan: aPlan(), suspendedByUpdate: true }, at(300)],
    ['and where the spec is to be mended', { plan: aPlan({ problems: [problem] }) }, at(300)],
    ['of one that is suspended for a while comes when that ends', { plan: aPlan({ suspendUntil: at(60) }) }, at(60)],
    ['or in five minutes, when that is later', { plan: aPlan({ suspendUntil: at(900) }) }, at(300)],
  ])('%s', (_, replaced, due) => {
    expect(nextTurnAt({ ...newMemory(), ...replaced }, appUid, at(0))).toBe(due);
  });
});
