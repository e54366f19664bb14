import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CompiledSpec } from '../../../src/domain/target-app/compiled-spec.ts';
import { dueAt } from '../../../src/domain/target-app/due-at.ts';
import { type Memory, newMemory } from '../../../src/domain/target-app/memory.ts';
import { isNews } from '../../../src/domain/target-app/observation.ts';
import { at, observationOf, type Played, type Poll, playOne } from '../../support/domain.ts';
import { runs } from '../../support/fuzz-runs.ts';
import { storyOf, timedPlans } from '../../support/plan-stories.ts';

/** Plays only the polls that end a turn: those at which something differs, and the first at which time may change a verdict. */
function playTurns(plan: CompiledSpec, polls: Poll[]): Played[] {
  const played: Played[] = [];
  let due = 0;
  let memory = newMemory();
  for (const poll of polls) {
    if (!isNews(observationOf(memory, plan, poll), { seen: memory }) && at(poll.at) < due) continue;
    const turn = playOne(memory, plan, poll);
    played.push(turn);
    memory = turn.memory;
    due = dueAt(memory, at(poll.at));
  }
  return played;
}

/** What of a memory decides anything: when it was polled last, and what was held back last, are for people. */
function deciding({ lastPoll: _, rules, conditions: __, ...memory }: Memory): unknown {
  const kept = Object.entries(rules).map(([key, { lastSuppression: ___, firings, ...rule }]) => [
    key,
    { ...rule, last: firings.at(-1) },
  ]);
  return { ...memory, pacing: undefined, rules: Object.fromEntries(kept) };
}

const decided = (played: Played[]) =>
  played.flatMap(({ at: second, decisions, events }) =>
    decisions.length + events.length === 0
      ? []
      : [{ second, decisions, events: events.map(({ reason, message, count }) => ({ reason, message, count })) }],
  );

describe('deciding by turns', () => {
  it('decides the same, at the same polls, as deciding poll by poll', () => {
    let [turns, polls] = [0, 0];
    fc.assert(
      fc.property(timedPlans, storyOf(12), (plan, story) => {
        const whole: Played[] = [];
        for (const poll of story) whole.push(playOne(whole.at(-1)?.memory ?? newMemory(), plan, poll));
        const byTurns = playTurns(plan, story);
        turns += byTurns.length;
        polls += story.length;
        expect(decided(byTurns)).toEqual(decided(whole));
        expect(deciding(byTurns.at(-1)?.memory ?? newMemory())).toEqual(deciding(whole.at(-1)?.memory ?? newMemory()));
      }),
      runs(600),
    );
    // It would say nothing if every poll were a turn.
    expect(turns).toBeLessThan(0.8 * polls);
  });
});
