import { expect, it } from '@jest/globals';
import { applyObservation } from '../../../src/domain/target-app/apply-observation.ts';
import { type Memory, newMemory } from '../../../src/domain/target-app/memory.ts';
import { isNews, type Observation } from '../../../src/domain/target-app/observation.ts';
import { overdueAfterMs } from '../../../src/domain/target-app/overdue.ts';
import { conditions } from '../../../src/domain/target-app/status-conditions.ts';
import { planned, spec } from '../../support/target-app-manifest.ts';

const now = 1_000_000;
const watched: Memory = { ...newMemory(), matched: 1, plan: planned(spec({}), 1), lastPoll: now };
const after = (memory: Memory, told: Partial<Observation>): Memory =>
  applyObservation(memory, { matched: 1, ...told }, now).memory;
const conditionOf = (memory: Memory) => conditions['Overdue']?.(memory, now);

it('a poll that is overdue is a condition, with since when, until one has ended', () => {
  expect(conditionOf(watched)).toBeUndefined();
  const late = after(watched, { unasked: 'late', overdue: { since: 500_000 } });
  expect(conditionOf(late)).toMatchObject({
    status: 'True',
    reason: 'PollOverdue',
    message: expect.stringContaining('1970-01-01T00:08:20'),
  });
  expect(conditionOf(after(late, {}))).toEqual(conditionOf(late));
  expect(conditionOf(after(late, { overdue: null }))).toBeUndefined();
});

it('both are news, which end a turn', () => {
  const known = { seen: { matched: 1 } };
  expect(isNews({ matched: 1, unasked: 'late', overdue: { since: 1 } }, known)).toBe(true);
  expect(isNews({ matched: 1, overdue: null }, known)).toBe(true);
});

it('it is said after three intervals, and not before a minute', () => {
  expect([1_000, 20_000, 30_000].map(overdueAfterMs)).toEqual([60_000, 60_000, 90_000]);
});
