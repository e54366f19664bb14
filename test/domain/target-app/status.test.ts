import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/domain/json.ts';
import { conditionsIn } from '../../../src/domain/status-conditions.ts';
import { statusDigest } from '../../../src/domain/status-digest.ts';
import { type Memory, newMemory, newRuleMemory } from '../../../src/domain/target-app/memory.ts';
import { phaseOf } from '../../../src/domain/target-app/phase.ts';
import { statusOf } from '../../../src/domain/target-app/status.ts';
import { conditions as targetAppConditions } from '../../../src/domain/target-app/status-conditions.ts';
import { isSuspended } from '../../../src/domain/target-app/suspension.ts';
import {
  type Answer,
  aPlan,
  aRule,
  at,
  digestOf,
  fails,
  firedAt,
  healthy,
  type Poll,
  play,
  polls,
  says,
  uidOf,
  unhealthy,
} from '../../support/domain.ts';

const workflow = { id: 'targetapp/default/x/u', runId: 'r' };
const statusAt = (memory: Memory, second = 0): JsonObject => statusOf(memory, workflow, at(second));
const broken = aPlan({ problems: [{ field: 'spec.selector', message: 'is empty: add a label' }] });

/** The conditions after some polls, as `type=status reason: message`. */
const conditionsAfter = (steps: Poll[], plan = aPlan()): Record<string, string> => {
  const { conditions } = play(plan, steps).at(-1)?.memory ?? newMemory();
  return Object.fromEntries(
    Object.entries(conditions).map(([type, { status, reason, message }]) => [type, `${status} ${reason}: ${message}`]),
  );
};

describe('the conditions', () => {
  it('of what was not observed yet say so', () => {
    const conditions = conditionsIn(targetAppConditions, newMemory(), at(0));
    expect(conditions).toMatchObject({
      Ready: { status: 'False', reason: 'Initializing' },
      Reconciling: { status: 'True', reason: 'Initializing' },
      Stalled: { status: 'False' },
    });
    expect(conditions).not.toHaveProperty('SourceReachable');
  });

  it('say since when they are so, to the second, as Kubernetes does', () => {
    const conditions = conditionsIn(targetAppConditions, newMemory(), at(0) + 750);
    const [ready] = statusAt({ ...newMemory(), conditions })['conditions'] as JsonObject[];
    expect(ready).toMatchObject({ type: 'Ready', lastTransitionTime: '2026-01-01T00:00:00Z' });
  });

  it.each<[string, Record<string, Answer>, number | undefined, string, string, string]>([
    [
      'all answer',
      { a: healthy, b: unhealthy },
      undefined,
      'True Monitoring: 2 of 2 pods answer',
      'True Answering: 2 of 2 answer',
      'True StateKnown: 2 of 2 answer with their state',
    ],
    [
      'some answer',
      { a: healthy, b: fails() },
      undefined,
      'True Monitoring: 1 of 2 do not answer; b: no answer within 10 s',
      'False Timeout: 1 of 2 do not answer; b: no answer within 10 s',
      'Unknown Timeout: 1 of 2 do not answer; b: no answer within 10 s',
    ],
    [
      'some answer with something else than their state',
      { a: healthy, b: fails('GraphQLError') },
      undefined,
      'True Monitoring: 1 of 2 answer, but not with their state; b: no answer within 10 s',
      'True Answering: 2 of 2 answer',
      'False GraphQLError: 1 of 2 answer, but not with their state; b: no answer within 10 s',
    ],
    [
      'it is not known of some whether they do',
      { a: healthy, b: fails('Throttled') },
      undefined,
      'True Monitoring: 1 of 2 could not be asked; b: no answer within 10 s',
      'Unknown Throttled: 1 of 2 could not be asked; b: no answer within 10 s',
      'Unknown Throttled: 1 of 2 could not be asked; b: no answer within 10 s',
    ],
    [
      'each fares in another way, the worst first',
      { a: fails('Throttled'), b: fails('GraphQLError'), c: fails('Timeout'), d: healthy },
      undefined,
      'True Monitoring: 1 of 4 do not answer; c: no answer within 10 s; 1 of 4 answer, but not with their state; b: no answer within 10 s; 1 of 4 could not be asked; a: no answer within 10 s',
      'False Timeout: 1 of 4 do not answer; c: no answer within 10 s',
      'False GraphQLError: 1 of 4 answer, but not with their state; b: no answer within 10 s',
    ],
    [
      'part of what one says is not known',
      { a: healthy, b: { ...says({ x: null }, ['x', 'y']), why: 'it has a number that cannot be compared' } },
      undefined,
      'True Monitoring: 2 of 2 pods answer',
      'True Answering: 2 of 2 answer',
      'True PartlyKnown: 2 of 2 answer with their state, 1 in part; b: x, y is not known: it has a number that cannot be compared',
    ],
    [
      'nobody answers with a state',
      { a: fails('GraphQLError'), b: fails('PodUnconfirmed') },
      undefined,
      'False GraphQLError: 1 of 2 answer, but not with their state; a: no answer within 10 s; 1 of 2 could not be asked; b: no answer within 10 s',
      'Unknown PodUnconfirmed: 1 of 2 could not be asked; b: no answer within 10 s',
      'False GraphQLError: 1 of 2 answer, but not with their state; a: no answer within 10 s',
    ],
    [
      'nobody could be asked',
      { a: fails('PodUnconfirmed') },
      undefined,
      'Unknown PodUnconfirmed: 1 of 1 could not be asked; a: no answer within 10 s',
      'Unknown PodUnconfirmed: 1 of 1 could not be asked; a: no answer within 10 s',
      'Unknown PodUnconfirmed: 1 of 1 could not be asked; a: no answer within 10 s',
    ],
    [
      'none answers',
      { a: fails('TLSVerifyFailed') },
      undefined,
      'False TLSVerifyFailed: 1 of 1 do not answer; a: no answer within 10 s',
      'False TLSVerifyFailed: 1 of 1 do not answer; a: no answer within 10 s',
      'Unknown TLSVerifyFailed: 1 of 1 do not answer; a: no answer within 10 s',
    ],
    [
      'none matches',
      {},
      undefined,
      'False NoMatchingPods: no pod of this namespace matches spec.selector',
      'False NoMatchingPods: no pod of this namespace matches spec.selector',
      'Unknown NoMatchingPods: no pod of this namespace matches spec.selector',
    ],
    [
      'none runs yet',
      {},
      2,
      'False PodsNotRunning: 2 pods match spec.selector, none is Running with an address yet',
      'Unknown PodsNotRunning: 2 pods match spec.selector, none is Running with an address yet',
      'Unknown PodsNotRunning: 2 pods match spec.selector, none is Running with an address yet',
    ],
  ])('say what is reachable when %s', (_, pods, matched, ready, source, healthyNow) => {
    const conditions = conditionsAfter([{ at: 0, pods, ...(matched && { matched }) }]);
    expect(conditions).toMatchObject({
      Ready: ready,
      SourceReachable: source,
      SourceHealthy: healthyNow,
      Reconciling: 'False Observed: the spec is in force',
      Stalled: 'False SpecUnderstood: the spec is valid',
      ActionsHealthy: 'True NoFailures: no action of an open episode ended in trouble',
    });
  });

  it('say why it cannot be said which pods there are', () => {
    const conditions = conditionsAfter([
      { at: 0, pods: { a: healthy } },
      { at: 30, podsUnknown: 'pods is forbidden' },
    ]);
    expect(conditions).toMatchObject({
      Ready: 'Unknown PodsUnknown: pods is forbidden',
      SourceReachable: 'Unknown PodsUnknown: pods is forbidden',
    });
  });

  it('say which rule cannot be judged, as long as that lasts, and so does its status', () => {
    const trigger = { field: 'n', condition: 'greater_than', value: 5 };
    const rules = [
      aRule(),
      aRule({ name: 'many', key: 'many', trigger }),
      aRule({ name: 'more', key: 'more', trigger }),
    ];
    const plan = aPlan({ rules });
    const text = says({ health: 'healthy', n: '7' });
    const steps = polls([text, text, says({ health: 'healthy', n: 7 })]);
    const [, during, after] = play(plan, steps);
    const message = 'cannot tell whether n greater_than the number 5, because the value is the text "7"';
    expect(during?.memory.conditions).toMatchObject({
      RulesDecidable: {
        status: 'False',
        reason: 'TriggerTypeMismatch',
        message: expect.stringContaining(`many: ${message}`),
      },
      Ready: { status: 'True', message: expect.stringContaining(`TriggerTypeMismatch: many: ${message}`) },
    });
    expect(during?.memory.conditions['RulesDecidable']?.message).toMatch(/\(and 1 more\)$/);
    expect(statusAt(during?.memory ?? newMemory())['rules']).toMatchObject([
      expect.not.objectContaining({ undecided: expect.anything() }),
      { name: 'many', undecided: { reason: 'TriggerTypeMismatch', since: '2026-01-01T00:00:00Z' } },
      { name: 'more', undecided: { message: expect.stringContaining(message) } },
    ]);
    expect(after?.memory.conditions['RulesDecidable']).toMatchObject({ status: 'True', reason: 'AllDecidable' });
    expect(JSON.stringify(statusAt(after?.memory ?? newMemory())['rules'])).not.toContain('undecided');
  });

  it('speak of the app where it is asked as a whole', () => {
    const plan = aPlan({ perPod: false });
    expect(conditionsAfter(polls([healthy], 30, 'app'), plan)['Ready']).toBe('True Monitoring: the endpoint answers');
    expect(conditionsAfter([{ at: 0 }], plan)['SourceReachable']).toBe('Unknown Initializing: not polled yet');
  });

  it('name the field and the fix of a spec that is invalid', () => {
    const conditions = conditionsAfter([{ at: 0, pods: { a: healthy } }], broken);
    expect(conditions).toMatchObject({
      Ready: 'False InvalidSpec: spec.selector: is empty: add a label',
      Stalled: 'True InvalidSpec: spec.selector: is empty: add a label',
      Reconciling: 'False Observed: the spec is in force',
    });
    expect(conditions).not.toHaveProperty('SourceReachable');
  });

  it('are neither good nor bad while suspended', () => {
    const conditions = conditionsAfter([{ at: 0, pods: { a: fails() }, plan: aPlan({ suspend: true }) }]);
    expect(conditions).toMatchObject({ Ready: 'Unknown Suspended: polling and acting are suspended' });
    expect(conditions).not.toHaveProperty('SourceReachable');
  });

  it.each([
    ['failed', 'False'],
    ['refused', 'False'],
    ['unknown', 'False'],
    ['succeeded', 'True'],
    ['dryRun', 'True'],
  ] as const)('call an action that %s healthy: %s', (status, healthyNow) => {
    const trouble = { status, reason: 'Cause', message: 'so', at: at(0) };
    const isTrouble = status !== 'succeeded' && status !== 'dryRun';
    const episodes = { u: { since: at(0), firedAt: at(0), ...(isTrouble && { trouble }) } };
    const rules = { fine: newRuleMemory(), restart: { ...newRuleMemory(), episodes } };
    const subjects = { u: { name: 'p', hash: 'h', state: 1 } };
    const memory = { ...newMemory(), plan: aPlan(), rules, subjects, matched: 1, lastPoll: at(0) };
    const { ActionsHealthy: condition, Ready } = conditionsIn(targetAppConditions, memory, at(0));
    expect(condition?.status).toBe(healthyNow);
    if (healthyNow === 'False') expect(condition).toMatchObject({ reason: 'Cause', message: 'restart: so' });
    // Whoever only looks at the list must see it, too.
    const also = healthyNow === 'False' ? '; Cause: restart: so' : '';
    expect(Ready).toMatchObject({ status: 'True', message: `1 of 1 pods answer${also}` });
  });

  it('keep the time of their last transition while only reason or message change', () => {
    const played = play(aPlan(), polls([fails('Timeout'), fails('ConnectFailed'), healthy, healthy, fails()]));
    const since = (type: string): (number | undefined)[] =>
      played
        .map(({ memory }) => memory.conditions[type]?.since)
        .map((ms) => (ms === undefined ? ms : (ms - at(0)) / 1000));
    expect(since('Ready')).toEqual([0, 0, 60, 60, 120]);
    expect(since('Stalled')).toEqual([0, 0, 0, 0, 0]);
    expect(played[1]?.memory.conditions['Ready']?.reason).toBe('ConnectFailed');
  });

  it('cut a long message', () => {
    const problems = [{ field: 'spec', message: 'x'.repeat(5000) }];
    expect(conditionsAfter([{ at: 0 }], aPlan({ problems }))['Stalled']?.length).toBeLessThan(1100);
  });
});

describe('the phase', () => {
  it.each<[string, Memory, string]>([
    ['nothing is known', newMemory(), 'Initializing'],
    ['nothing was polled', { ...newMemory(), plan: aPlan() }, 'Initializing'],
    ['it was polled', { ...newMemory(), plan: aPlan(), lastPoll: at(0) }, 'Monitoring'],
    ['the spec suspends', { ...newMemory(), plan: aPlan({ suspend: true }), lastPoll: at(0) }, 'Suspended'],
    ['an update suspends', { ...newMemory(), plan: aPlan(), suspendedByUpdate: true }, 'Suspended'],
    ['the spec is invalid, though suspended', { ...newMemory(), plan: { ...broken, suspend: true } }, 'Failed'],
  ])('when %s', (_, memory, phase) => {
    expect(phaseOf(memory, at(1))).toBe(phase);
  });
});

describe('isSuspended', () => {
  const until = aPlan({ suspendUntil: at(60) });

  it.each([
    ['before its end', at(59), true],
    ['at its end', at(60), false],
    ['after it', at(61), false],
  ])('has an end: %s', (_, now, suspended) => {
    expect(isSuspended(until, undefined, now)).toBe(suspended);
  });
});

describe('a suspension', () => {
  const suspended = { plan: aPlan({ suspend: true }) };

  it.each<[string, Partial<Poll>]>([
    ['of the spec', suspended],
    ['with an end', { plan: aPlan({ suspendUntil: at(60) }) }],
    ['by an update', { held: true }],
    ['of a spec to mend', { plan: broken }],
  ])('%s decides nothing and keeps the memory', (_, how) => {
    const played = play(aPlan(), [
      { at: 0, pods: { a: healthy } },
      { at: 30, pods: { a: unhealthy }, ...how },
      { at: 60, pods: { a: unhealthy }, ...(how.plan && { plan: aPlan() }) },
    ]);
    expect(firedAt(played)).toEqual([60]);
    expect(played[1]?.memory.lastPoll).toBe(at(0));
    expect(played[1]?.memory.subjects[uidOf('a')]?.state).toEqual({ health: 'healthy' });
  });

  it('does not fire anew for what fired before it', () => {
    const played = play(aPlan(), [
      { at: 0, pods: { a: unhealthy } },
      { at: 30, pods: { a: unhealthy }, ...suspended },
      { at: 60, pods: { a: unhealthy }, plan: aPlan() },
    ]);
    expect(firedAt(played)).toEqual([0]);
  });
});

describe('the status', () => {
  it('says where everything stands', () => {
    const plan = aPlan({
      generation: 3,
      rules: [
        aRule({ cooldownMs: 600_000 }),
        aRule({ name: 'idle', trigger: { condition: 'unreachable' }, forMs: 90_000 }),
      ],
    });
    const played = play(plan, [
      { at: 0.25, pods: { a: unhealthy, b: fails() } },
      { at: 30, pods: { a: healthy, b: fails() } },
      { at: 60, pods: { a: unhealthy, b: fails() } },
    ]);
    const memory = { ...(played.at(-1)?.memory ?? newMemory()), pollRequested: 'now' };
    expect(statusAt(memory, 60)).toMatchObject({
      observedGeneration: 3,
      phase: 'Monitoring',
      pods: { matched: 2, observed: 1, unreachable: 1, failing: 0 },
      state: { a: { health: 'unhealthy' } },
      lastPoll: '2026-01-01T00:01:00Z',
      lastChange: '2026-01-01T00:01:00Z',
      pollRequestedAt: 'now',
      rules: [
        {
          name: 'restart',
          activeSince: '2026-01-01T00:01:00Z',
          lastFired: '2026-01-01T00:00:00Z',
          lastSuppression: {
            reason: 'Cooldown',
            message: 'fired 60 s ago, the cooldown is 600 s',
            time: '2026-01-01T00:01:00Z',
          },
          episodes: [{ subject: uidOf('a'), since: at(60) }],
        },
        { name: 'idle', activeSince: '2026-01-01T00:00:00Z', episodes: [{ subject: uidOf('b'), since: at(0.25) }] },
      ],
      workflow,
    });
  });

  it('counts who does not answer, who answers with something else, and neither where only KCO could not ask', () => {
    const pods = { a: healthy, b: fails('Timeout'), c: fails('GraphQLError'), d: fails('Throttled') };
    const played = play(aPlan(), [{ at: 0, pods, matched: 6 }]);
    expect(statusAt(played[0]?.memory ?? newMemory())['pods']).toEqual({
      matched: 6,
      observed: 1,
      unreachable: 1,
      failing: 1,
    });
  });

  it('lets another life go on where this one ended', () => {
    const plan = aPlan();
    const played = play(plan, polls([unhealthy]));
    const rules = statusAt(played[0]?.memory ?? newMemory())['rules'] as {
      name: string;
      digest: string;
      episodes: { subject: string; since: number; firedAt?: number }[];
    }[];
    const mirror = rules.flatMap(({ name: rule, digest, episodes }) =>
      episodes.map((episode) => ({ rule, digest, ...episode })),
    );
    expect(firedAt(play(plan, [{ at: 30, pods: { 'pod-a': unhealthy }, forgotten: true, mirror }]))).toEqual([]);
    expect(firedAt(play(plan, [{ at: 30, pods: { 'pod-a': unhealthy }, forgotten: true }]))).toEqual([30]);
  });

  it('shows how the last action of a rule ended', () => {
    const lastOutcome = {
      status: 'failed',
      reason: 'Timeout',
      message: 'm'.repeat(900),
      actionId: 'id',
      at: at(5),
    } as const;
    const memory = { ...newMemory(), plan: aPlan(), rules: { restart: { ...newRuleMemory(), lastOutcome } } };
    expect(statusAt(memory)['rules']).toMatchObject([
      {
        lastOutcome: {
          status: 'failed',
          reason: 'Timeout',
          message: `${'m'.repeat(511)}…`,
          actionId: 'id',
          time: '2026-01-01T00:00:05Z',
        },
      },
    ]);
  });

  it('speaks of a rule that has no memory yet, whatever its name', () => {
    const rule = aRule({ name: 'constructor' });
    const memory = { ...newMemory(), plan: aPlan({ rules: [rule] }) };
    expect(statusAt(memory)['rules']).toEqual([{ name: 'constructor', digest: digestOf(rule) }]);
  });

  it('is capped where there are many pods and episodes', () => {
    const pods = Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`p${i}`, unhealthy]));
    const status = statusAt(play(aPlan(), [{ at: 0, pods }])[0]?.memory ?? newMemory());
    const [rule] = status['rules'] as { episodes: unknown[] }[];
    expect(Object.keys(status['state'] as JsonObject)).toHaveLength(20);
    expect(rule?.episodes).toHaveLength(1_000);
  });

  it('gives the episodes that it has room for to the rules that have some', () => {
    const episodes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`u${i}`, { since: at(0) }]));
    const shownOf = (...counts: number[]): number[] => {
      const rules = counts.map((_, i) => aRule({ name: `r${i}` }));
      const known = counts.map((count, i) => [`r${i}`, { ...newRuleMemory(), episodes: episodes(count) }] as const);
      const status = statusAt({ ...newMemory(), plan: aPlan({ rules }), rules: Object.fromEntries(known) });
      return (status['rules'] as { episodes?: unknown[] }[]).map(({ episodes: shown = [] }) => shown.length);
    };
    expect(shownOf(0, 700, 0, 200)).toEqual([0, 700, 0, 200]);
    expect(shownOf(0, 1_500, 0)).toEqual([0, 1_000, 0]);
    expect(shownOf(100, 2_000, 600)).toEqual([100, 450, 450]);
  });

  it('has a revision that grows, also within a millisecond and when the clock stands still', () => {
    const revision = (memory: Memory, second: number) => statusAt(memory, second)['revision'];
    expect(revision(newMemory(), 5)).toBe(at(5));
    expect(revision({ ...newMemory(), reported: { digest: 'd', at: at(5) } }, 5)).toBe(at(5) + 1);
    expect(revision({ ...newMemory(), reported: { digest: 'd', at: at(9) } }, 5)).toBe(at(9) + 1);
  });

  it('has room in etcd, whatever the app says', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 16 }, (_, i) => [`${'f'.repeat(3_000)}${i}`, '\u4e00'.repeat(500)]),
    );
    const pods = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`p${i}`, says(wide)]));
    const status = statusAt(play(aPlan(), [{ at: 0, pods }])[0]?.memory ?? newMemory());
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(256 * 1024);
    expect(Object.keys(status['state'] as JsonObject).length).toBeGreaterThanOrEqual(1);
  });

  it('is the same to its digest when only the time of the last poll differs', () => {
    const plan = aPlan();
    const digests = play(plan, polls([healthy, healthy, says({ health: 'healthy', n: 1 })])).map(
      ({ memory, at: second }) => statusDigest(statusAt(memory, second)),
    );
    expect(digests[1]).toBe(digests[0]);
    expect(digests[2]).not.toBe(digests[1]);
  });
});
