import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aggregate,
  type EventDraft,
  type EventRecord,
  type RecentEvent,
  repeatWindowMs,
} from '../../../src/domain/events.ts';
import { failureClasses } from '../../../src/domain/failure.ts';
import { fnv1a } from '../../../src/domain/hash.ts';
import { isJsonObject, type Json } from '../../../src/domain/json.ts';
import { nextPollAt } from '../../../src/domain/schedule.ts';
import type { CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import { finding } from '../../../src/domain/target-app/findings.ts';
import { type Memory, newMemory } from '../../../src/domain/target-app/memory.ts';
import { conditionNamed } from '../../../src/domain/target-app/trigger-conditions.ts';
import {
  type Answer,
  aPlan,
  aRule,
  deepFreeze,
  fails,
  type Played,
  type Poll,
  play,
  playOne,
  requestsIn,
  says,
} from '../../support/domain.ts';
import { runs } from '../../support/fuzz-runs.ts';
import { names, planOf, pods, repeating, rule, state, story } from '../../support/plan-stories.ts';

const cases = runs(150);
/** Where whole memories are compared, which takes longer. */
const fewCases = runs(60);

const copy = <T>(of: T): T => JSON.parse(JSON.stringify(of)) as T;
/** As `toEqual`, which takes its time, where the texts are not the same already. */
const expectSame = (found: unknown, expected: unknown): void => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
};
const decisionsOf = (played: Played[]) => played.map(({ decisions }) => decisions);

/** What a rule's own condition says at each poll, told by the states as the memory has them. */
const saysOf = (of: CompiledRule, before: Memory, { memory }: Played, subject: string) => {
  const now = memory.subjects[subject];
  if (now === undefined) return 'gone';
  const previous = before.subjects[subject]?.state;
  return finding(of, { ...now, subject, ...(previous !== undefined && { previous }) }, memory.plan?.ignoreFields);
};

const isLevel = ({ trigger: { condition } }: CompiledRule): boolean => conditionNamed(condition)?.kind !== 'edge';

/** The kind of failure that a rule is about, if it is about failures. */
const failureAskedFor = ({ trigger: { condition } }: CompiledRule): string | undefined =>
  conditionNamed(condition)?.kind === 'absence' ? condition : undefined;

/** How often a rule fired for one pod between two polls at which its condition was not true, or the pod not there. */
function mostFiringsAtAStretch(of: CompiledRule, subject: string, played: Played[]): number {
  let firings = 0;
  return played.reduce((most, turn, i) => {
    const finds = saysOf(of, played[i - 1]?.memory ?? newMemory(), turn, subject);
    if (finds !== true && finds !== 'unknown') firings = 0;
    firings += turn.decisions.filter(
      (decision) => decision.kind === 'fire' && decision.rule.name === of.name && decision.subject === subject,
    ).length;
    return Math.max(most, firings);
  }, 0);
}

describe('the plan step', () => {
  it('says the same of the same observations', () => {
    fc.assert(
      fc.property(planOf(repeating), story, (plan, polls) => {
        expectSame(play(plan, copy(polls)), play(plan, polls));
      }),
      fewCases,
    );
  });

  it('goes on as if nothing had been when its memory is handed on as JSON at any point', () => {
    fc.assert(
      fc.property(planOf(repeating), story, (plan, polls) => {
        const whole = play(plan, polls);
        const handed: Played[] = [];
        for (const poll of polls) {
          const memory = copy(handed.at(-1)?.memory ?? newMemory());
          handed.push(playOne(memory, copy(plan), copy(poll)));
        }
        expectSame(handed, whole);
      }),
      fewCases,
    );
  });

  it('leaves what it is given alone', () => {
    fc.assert(
      fc.property(planOf(repeating), story, (plan, polls) => {
        let memory = newMemory();
        for (const poll of polls) memory = playOne(deepFreeze(memory), deepFreeze(plan), deepFreeze(copy(poll))).memory;
      }),
      cases,
    );
  });

  it('fires at most once while a condition holds, unless it is told to repeat', () => {
    fc.assert(
      fc.property(planOf(rule), story, (plan, polls) => {
        const played = play(plan, polls);
        for (const of of plan.rules.filter((one) => one.pods === 'each' && isLevel(one)))
          for (const name of names) expect(mostFiringsAtAStretch(of, `uid-${name}`, played)).toBeLessThanOrEqual(1);
      }),
      cases,
    );
  });

  it('fires only for what the pods say now, and for a failure only where the rule is about its kind', () => {
    fc.assert(
      fc.property(planOf(repeating), story, (plan, polls) => {
        const played = play(plan, polls);
        played.forEach((turn, i) => {
          const before = played[i - 1]?.memory ?? newMemory();
          for (const decision of turn.decisions) {
            if (decision.kind !== 'fire') continue;
            expect(decision.request.pods.length > 0).toBe(decision.rule.trigger.condition !== 'noPods');
            for (const { uid, name } of decision.request.pods) {
              expect(polls[i]?.pods?.[name]?.failure?.kind).toBe(failureAskedFor(decision.rule));
              expect(saysOf(decision.rule, before, turn, uid)).toBe(true);
            }
          }
        });
      }),
      cases,
    );
  });

  it('fires for nothing that is unknown: no pod that was not asked, no part that was not answered, no pods that nobody sees', () => {
    const blind: fc.Arbitrary<Answer> = fc.oneof(
      fc.constantFrom(...failureClasses.map((of) => fails(of, { kind: 'unknown' }))),
      state.map((of) => says(of, ['f', 'n', 'l'])),
    );
    const unseen = fc.record({
      pods: fc.dictionary(fc.constantFrom(...names), blind, { maxKeys: 3, noNullPrototype: true }),
      matched: fc.integer({ min: 0, max: 5 }),
      podsUnknown: fc.constantFrom(undefined, 'the pods cannot be watched'),
    });
    const nobodyRuns = (poll: Poll) => poll.podsUnknown === undefined && Object.keys(poll.pods ?? {}).length === 0;
    fc.assert(
      fc.property(planOf(repeating), pods, fc.array(unseen), (plan, first, after) => {
        const polls: Poll[] = [{ pods: first }, ...after].map((poll, i) => ({ at: i * 60, ...poll }));
        play(plan, polls).forEach(({ decisions }, i) => {
          const poll = polls[i];
          if (i === 0 || poll === undefined) return;
          const fired = decisions.filter(({ kind }) => kind === 'fire');
          for (const { rule: of } of fired) expect([of.trigger.condition, nobodyRuns(poll)]).toEqual(['noPods', true]);
        });
      }),
      cases,
    );
  });

  it('fires for a quorum only when as many of the pods that match satisfy it, whatever is known of the others', () => {
    const quorum = fc.constantFrom<CompiledRule['pods'][]>('any', 'all', { percent: 50 }, { count: 2 });
    const answers = fc.array(fc.constantFrom(says({ f: 'x' }), says({ f: 'y' }), fails('Timeout'), fails('Throttled')));
    const wantedOf = (of: CompiledRule['pods'], total: number): number => {
      if (typeof of === 'object') return 'count' in of ? of.count : Math.ceil(total / 2);
      return of === 'any' ? 1 : total;
    };
    fc.assert(
      fc.property(quorum, answers, fc.nat({ max: 4 }), (of, given, more) => {
        const plan = aPlan({ rules: [aRule({ trigger: { field: 'f', condition: 'equals', value: 'x' }, pods: of })] });
        const asked = Object.fromEntries(given.map((one, i) => [`p${i}`, one]));
        const total = given.length + more;
        const satisfied = given.filter(({ state: said }) => isJsonObject(said) && said['f'] === 'x').length;
        const fired = requestsIn(play(plan, [{ at: 0, pods: asked, matched: total }])).length > 0;
        expect(fired).toBe(satisfied > 0 && satisfied >= wantedOf(of, total));
      }),
      cases,
    );
  });

  it('fires as often as it may, where nothing holds it back', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), (holds) => {
        const played = play(
          aPlan({ rules: [aRule({ onPods: false })] }),
          holds.map((isBad, i) => ({ at: i * 30, pods: { a: says({ health: isBad ? 'unhealthy' : 'healthy' }) } })),
        );
        const risen = holds.filter((isBad, i) => isBad && !holds[i - 1]);
        expect(requestsIn(played)).toHaveLength(risen.length);
      }),
      cases,
    );
  });

  it('gives every firing an id of its own', () => {
    fc.assert(
      fc.property(planOf(repeating), story, (plan, polls) => {
        const ids = requestsIn(play(plan, polls)).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      cases,
    );
  });

  it('fires no more often within a span than it may', () => {
    fc.assert(
      fc.property(planOf(repeating), story, (plan, polls) => {
        const requests = requestsIn(play(plan, polls));
        for (const { name, maxFirings } of plan.rules) {
          if (maxFirings === undefined) continue;
          const times = requests.filter((request) => request.rule === name).map(({ at }) => at);
          times.forEach((time, i) => {
            expect((times[i + maxFirings.max] ?? Number.POSITIVE_INFINITY) - time).toBeGreaterThanOrEqual(
              maxFirings.perMs,
            );
          });
        }
      }),
      cases,
    );
  });

  it('does not depend on the order of keys in a state', () => {
    const turned = (of: Json): Json => {
      if (Array.isArray(of)) return of.map(turned);
      if (!isJsonObject(of)) return of;
      return Object.fromEntries(
        Object.entries(of)
          .reverse()
          .map(([key, item]) => [key, turned(item)]),
      );
    };
    const turnedEvery = (polls: Poll[], every: number): Poll[] =>
      polls.map((poll, i) =>
        i % every > 0
          ? poll
          : {
              ...poll,
              pods: Object.fromEntries(
                Object.entries(poll.pods ?? {}).map(([name, of]) => [
                  name,
                  of.state === undefined ? of : { ...of, state: turned(of.state) },
                ]),
              ),
            },
      );
    fc.assert(
      fc.property(planOf(repeating), story, fc.constantFrom(1, 2), (plan, polls, every) => {
        expectSame(decisionsOf(play(plan, turnedEvery(polls, every))), decisionsOf(play(plan, polls)));
      }),
      cases,
    );
  });
});

describe('the schedule', () => {
  it('is in the future, within one interval, and always in the same phase', () => {
    const interval = fc.integer({ min: 1, max: 86_400 }).map((seconds) => seconds * 1000);
    fc.assert(
      fc.property(fc.uuid(), interval, fc.integer({ min: 0, max: 4e12 }), (uid, intervalMs, now) => {
        const next = nextPollAt(uid, intervalMs, now);
        expect(next).toBeGreaterThan(now);
        expect(next).toBeLessThanOrEqual(now + intervalMs);
        // Not toBe(…): the remainder of a time before the phase is negative.
        expect((next - (fnv1a(uid) % intervalMs)) % intervalMs).toBeCloseTo(0);
      }),
      runs(500),
    );
  });
});

describe('the aggregation of Events', () => {
  const draft: fc.Arbitrary<EventDraft> = fc.record(
    {
      type: fc.constant('Normal' as const),
      reason: fc.constantFrom('StateChanged', 'Timeout'),
      message: fc.constantFrom('m', 'n', 'o'),
      pod: fc.constantFrom({ uid: 'u', name: 'p' }, { uid: 'w', name: 'q' }),
      sameAs: fc.constantFrom('s', 't'),
    },
    { requiredKeys: ['type', 'reason', 'message'] },
  );
  const batches = fc.array(
    fc.tuple(fc.integer({ min: 0, max: repeatWindowMs * 1.2 }), fc.array(draft, { maxLength: 6 })),
  );

  it('loses no Event: the counts of all objects add up', () => {
    fc.assert(
      fc.property(batches, (given) => {
        const objects = new Map<string, EventRecord>();
        let recent: Record<string, RecentEvent> = {};
        let now = 0;
        for (const [gap, drafts] of given) {
          now += gap;
          const next = aggregate(deepFreeze(recent), deepFreeze(drafts), now);
          recent = next.recent;
          expect(next.records.map(({ message }) => message)).toEqual(drafts.map(({ message }) => message));
          for (const record of next.records) objects.set(record.id, record);
        }
        const total = [...objects.values()].reduce((sum, { count }) => sum + count, 0);
        expect(total).toBe(given.reduce((sum, [, drafts]) => sum + drafts.length, 0));
        for (const { first, last, count } of objects.values())
          expect(last - first <= (count - 1) * repeatWindowMs).toBe(true);
      }),
      runs(300),
    );
  });
});
