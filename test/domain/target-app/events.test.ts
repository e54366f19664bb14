import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../../src/domain/json.ts';
import type { ActionOutcome } from '../../../src/domain/target-app/action.ts';
import { outcomeEvent } from '../../../src/domain/target-app/action-events.ts';
import type { CompiledTransition } from '../../../src/domain/target-app/compiled-spec.ts';
import { firedText } from '../../../src/domain/target-app/decision-events.ts';
import { shown, triggerText } from '../../../src/domain/target-app/event-text.ts';
import { phaseEvents } from '../../../src/domain/target-app/phase.ts';
import {
  type Answer,
  aPlan,
  aRule,
  eventsIn,
  fails,
  healthy,
  type Poll,
  play,
  polls,
  says,
  unhealthy,
} from '../../support/domain.ts';

const watching = aPlan({ rules: [] });
/** The Events after the one that monitoring started. */
const eventsOf = (answers: Answer[], plan = watching): string[] =>
  eventsIn(play(plan, polls(answers))).filter((event) => !event.includes('MonitoringStarted'));
const v = (value: Json): Answer => says({ v: value });

describe('an Event of a change', () => {
  it.each<[string, Json, Json, string]>([
    ['text', 'a', 'b', 'Normal StateChanged: v changed from a to b on pod pod-a'],
    ['null', null, '', 'Normal StateChanged: v changed from null to "" on pod pod-a'],
    ['a list', [1], [1, 2], 'Normal StateChanged: v changed from [1] to [1,2] on pod pod-a'],
    ['trouble', 'ok', 'unhealthy', 'Warning StateChanged: v changed from ok to unhealthy on pod pod-a'],
    [
      'trouble in a sentence',
      'ok',
      'it has Failed.',
      'Warning StateChanged: v changed from ok to it has Failed. on pod pod-a',
    ],
    [
      'trouble as an enumeration',
      'OK',
      'DATABASE_DOWN',
      'Warning StateChanged: v changed from OK to DATABASE_DOWN on pod pod-a',
    ],
    [
      'no trouble in other words',
      'ok',
      'markdown downtime errorless',
      'Normal StateChanged: v changed from ok to markdown downtime errorless on pod pod-a',
    ],
    [
      'trouble within what was not there',
      null,
      { h: 'unhealthy' },
      'Warning StateChanged: v changed from null to {"h":"unhealthy"} on pod pod-a',
    ],
    [
      'trouble in an element that came',
      ['up'],
      ['up', 'down'],
      'Warning StateChanged: v changed from ["up"] to ["up","down"] on pod pod-a',
    ],
    [
      'less trouble in a list',
      ['down', 'down'],
      ['down'],
      'Normal StateChanged: v changed from ["down","down"] to ["down"] on pod pod-a',
    ],
    ['the end of trouble', 'down', 'up', 'Normal StateChanged: v changed from down to up on pod pod-a'],
  ])('tells %s', (_, before, after, event) => {
    expect(eventsOf([v(before), v(after)])).toEqual([event]);
  });

  it.each(['critical', 'degraded', 'down', 'error', 'failed', 'offline', 'unhealthy', 'OFFLINE'])(
    'is a Warning for %s',
    (word) => {
      expect(eventsOf([v('ok'), v(word)])).toEqual([expect.stringMatching(/^Warning StateChanged/)]);
    },
  );

  it('tells a field that comes and goes', () => {
    expect(eventsOf([says({}), v(1), says({})])).toEqual([
      'Normal StateChanged: v changed from (absent) to 1 on pod pod-a',
      'Normal StateChanged: v changed from 1 to (absent) on pod pod-a',
    ]);
  });

  it('is one for a counter, with its latest value', () => {
    expect(eventsOf([v(1), v(2), v(3)])).toEqual([
      'Normal StateChanged: v changed from 1 to 2 on pod pod-a',
      'Normal StateChanged: v changed from 2 to 3 on pod pod-a (x2)',
    ]);
  });

  it('is not there at the baseline, nor for ignored fields, nor for an order of keys', () => {
    expect(eventsOf([v(1)])).toEqual([]);
    expect(eventsOf([v('a'), v('b')], aPlan({ rules: [], ignoreFields: ['v'] }))).toEqual([]);
    expect(eventsOf([says({ a: 1, b: 2 }), says({ b: 2, a: 1 })])).toEqual([]);
  });

  it.each<[string, Json[]]>([
    ['a time', ['2026-01-01T00:00:00Z', '2026-01-01T00:00:30Z', '2026-01-01T00:01:00Z']],
    ['a sentence with a counter', ['12 of 90 synced', '13 of 90 synced', '15 of 90 synced']],
    ['a hash', ['3NLeGq4f', '3NKab77x', '3NXy0012']],
    ['a list that grows', [[1], [1, 2], [1, 2, 3]]],
  ])('is one for %s, with its latest value', (_, [a = null, b = null, c = null]) => {
    const [first, again] = eventsOf([v(a), v(b), v(c)]);
    expect([first, again]).toEqual([
      `Normal StateChanged: v changed from ${shown(a)} to ${shown(b)} on pod pod-a`,
      `Normal StateChanged: v changed from ${shown(b)} to ${shown(c)} on pod pod-a (x2)`,
    ]);
  });

  it('is one for each state that a field comes to, which counts', () => {
    expect(eventsOf([v('up'), v('down'), v('up'), v('failed'), v('up')])).toEqual([
      'Warning StateChanged: v changed from up to down on pod pod-a',
      'Normal StateChanged: v changed from down to up on pod pod-a',
      'Warning StateChanged: v changed from up to failed on pod pod-a',
      'Normal StateChanged: v changed from failed to up on pod pod-a (x2)',
    ]);
  });

  it('is a Warning for trouble, however much else changes, which is counted', () => {
    const state = (n: number, health: string): Answer =>
      says({ ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, n])), health });
    const events = eventsOf([state(1, 'healthy'), state(2, 'unhealthy')]);
    expect(events[0]).toBe('Warning StateChanged: health changed from healthy to unhealthy on pod pod-a');
    expect(events.at(-1)).toBe('Normal StateChanged: 51 more fields changed on pod pod-a');
  });

  it('tells ten fields, and how many more there are', () => {
    const state = (value: string): Answer =>
      says(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, value])));
    const events = eventsOf([state('a'), state('b')]);
    expect(events).toHaveLength(11);
    expect(events.at(-1)).toBe('Normal StateChanged: 2 more fields changed on pod pod-a');
  });

  it('names no pod where the app is asked as a whole', () => {
    const plan = aPlan({ rules: [], perPod: false });
    const [, ...events] = eventsIn(play(plan, polls([v('a'), v('b')], 30, 'app')));
    expect(events).toEqual(['Normal StateChanged: v changed from a to b']);
  });
});

describe('an Event of spec.events', () => {
  const transition = (replaced: Partial<CompiledTransition>): CompiledTransition => ({
    field: 'v',
    type: 'Warning',
    reason: 'Told',
    message: '{{pod_name}}: {{field}} from {{old_value}} to {{new_value}}',
    ...replaced,
  });
  const withEvents = (...events: Partial<CompiledTransition>[]) => aPlan({ rules: [], events: events.map(transition) });

  it.each<[string, Partial<CompiledTransition>, Json, Json, boolean]>([
    ['any change of its field', {}, 'a', 'b', true],
    ['not a change of another field', { field: 'w' }, 'a', 'b', false],
    ['a change from a value', { from: 'a' }, 'a', 'b', true],
    ['not a change from another value', { from: 'x' }, 'a', 'b', false],
    ['a change to a value', { to: 'b' }, 'a', 'b', true],
    ['not a change to another value', { to: 'x' }, 'a', 'b', false],
    ['not a change to text that reads like the number', { to: 2 }, 1, '2', false],
    ['a change to null', { to: null }, 1, null, true],
    ['not a change to the empty string for one to null', { to: null }, 1, '', false],
    ['any element of a list', { field: 'v[*].s' }, [{ s: 1 }, { s: 1 }], [{ s: 1 }, { s: 2 }], true],
    ['the element of a list that it names', { field: 'v[1].s' }, [{ s: 1 }, { s: 1 }], [{ s: 1 }, { s: 2 }], true],
    ['an element of a list that grows', { field: 'v[*].s', to: 'x' }, [{ s: 'a' }], [{ s: 'x' }, { s: 'b' }], true],
    ['an element that is new', { field: 'v[*].s', to: 'x' }, [{ s: 'a' }], [{ s: 'a' }, { s: 'x' }], true],
    ['no element that only moved', { field: 'v[*].s', to: 'x' }, [{ s: 'x' }], [{ s: 'a' }, { s: 'x' }], false],
    ['a field whose parent was null', { field: 'v.h', to: 'bad' }, null, { h: 'bad' }, true],
    ['a field whose parent was not there', { field: 'v.a.h', to: 'bad' }, {}, { a: { h: 'bad' } }, true],
    ['a change to a long value', { to: 'x'.repeat(2_000) }, 'a', 'x'.repeat(2_000), true],
    ['a change from a long value', { from: 'x'.repeat(2_000) }, 'x'.repeat(2_000), 'a', true],
    ['a change to a large object', { to: { a: 'x'.repeat(400) } }, 'a', { a: 'x'.repeat(400) }, true],
    ['no other element of a list', { field: 'v[0].s' }, [{ s: 1 }, { s: 1 }], [{ s: 1 }, { s: 2 }], false],
  ])('tells %s', (_, replaced, before, after, isTold) => {
    const told = eventsOf([v(before), v(after)], withEvents(replaced)).some((event) => event.includes('Told'));
    expect(told).toBe(isTold);
  });

  it('says it in its own words, and nothing else is told', () => {
    const plan = withEvents({ to: 'b' }, { to: 'b', type: 'Normal', reason: 'Also', message: '{{new_value}}' });
    const state = (of: string): Answer => says({ v: of, other: of });
    expect(eventsOf([state('a'), state('b')], plan)).toEqual(['Warning Told: pod-a: v from a to b', 'Normal Also: b']);
  });

  it('is told of a field, whatever else changes', () => {
    const state = (n: number, h: string): Answer =>
      says({ ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, n])), h });
    expect(eventsOf([state(1, 'a'), state(2, 'b')], withEvents({ field: 'h', to: 'b' }))).toEqual([
      'Warning Told: pod-a: h from a to b',
    ]);
  });

  it('is not told of a field that is ignored', () => {
    const plan = { ...withEvents({ field: 'v' }), ignoreFields: ['v'] };
    expect(eventsOf([says({ v: 1, w: 1 }), says({ v: 2, w: 2 })], plan)).toEqual([]);
  });

  it('is one Event where only the numbers in it are others', () => {
    expect(eventsOf([v(1), v(2), v(3)], withEvents({}))).toEqual([
      'Warning Told: pod-a: v from 1 to 2',
      'Warning Told: pod-a: v from 2 to 3 (x2)',
    ]);
  });

  it('does not hide when the state changed last', () => {
    const played = play(withEvents({ field: 'w' }), polls([v('a'), v('b'), v('b')]));
    expect(played.map(({ memory }) => memory.lastChange)).toEqual([
      undefined,
      Date.UTC(2026, 0, 1, 0, 0, 30),
      Date.UTC(2026, 0, 1, 0, 0, 30),
    ]);
  });
});

describe('an Event of reachability', () => {
  it('tells when a pod stops to answer, for another reason, and when it answers again', () => {
    expect(eventsOf([fails('Timeout'), fails('Timeout'), fails('ConnectFailed'), healthy, healthy])).toEqual([
      'Warning Timeout: no answer within 10 s on pod pod-a',
      'Warning ConnectFailed: no answer within 10 s on pod pod-a',
      'Normal Recovered: answers again on pod pod-a after ConnectFailed',
    ]);
  });

  it('tells once that no pod matches, and again after there was one', () => {
    const none: Poll['pods'] = {};
    const played = play(
      watching,
      [none, none, { a: healthy }, none].map((pods, i) => ({ at: i * 30, pods })),
    );
    const empty = 'Warning NoMatchingPods: no pod of this namespace matches spec.selector';
    expect(eventsIn(played).filter((event) => event.includes('NoMatchingPods'))).toEqual([empty, `${empty} (x2)`]);
  });

  it('does not say so while pods match that are not running yet', () => {
    const events = eventsIn(play(watching, [{ at: 0, matched: 2 }]));
    expect(events.filter((event) => event.includes('NoMatchingPods'))).toEqual([]);
  });
});

describe('an Event of a decision', () => {
  const tellsOf = (answers: Answer[], rule: Parameters<typeof aRule>[0]): string[] =>
    eventsIn(play(aPlan({ rules: [aRule(rule)] }), polls(answers))).filter((event) => event.includes('Trigger'));

  it('says what fires and why', () => {
    expect(tellsOf([unhealthy], {})).toEqual([
      'Normal TriggerFired: restart: health equals unhealthy on pod pod-a, so restart_pod',
    ]);
  });

  it('says what would have fired and why it did not', () => {
    expect(tellsOf([unhealthy, healthy, unhealthy], { cooldownMs: 600_000 })[2]).toBe(
      'Normal TriggerSuppressed: restart: health equals unhealthy on pod pod-a, but restart_pod is held back (Cooldown): fired 60 s ago, the cooldown is 600 s',
    );
  });

  it('says what cannot be compared', () => {
    const trigger = { field: 'v', condition: 'less_than', value: 3 };
    expect(tellsOf([v('')], { trigger })).toEqual([
      'Warning TriggerTypeMismatch: restart: cannot tell whether v less_than the number 3, because the value is the text ""',
    ]);
  });

  it.each([
    [1, ' on pod p0, so restart_pod'],
    [2, ' on pods p0, p1, so restart_pod'],
    [7, ' on pods p0, p1, p2, p3, p4, …, so restart_pod'],
    [0, ', so restart_pod'],
  ])('of %i pods names no more than five', (count, end) => {
    const pods = Array.from({ length: count }, (_, i) => ({ uid: `u${i}`, name: `p${i}` }));
    expect(firedText(aRule(), { pods, dryRun: false })).toBe(`restart: health equals unhealthy${end}`);
  });

  it('says that a dry run only would', () => {
    expect(firedText(aRule(), { pods: [], dryRun: true })).toBe(
      'restart: health equals unhealthy, so would restart_pod',
    );
  });

  it.each([
    [{ condition: 'unreachable' }, 'unreachable'],
    [{ field: 'a.b', condition: 'changed' }, 'a.b changed'],
    [{ field: 'a', condition: 'equals', value: '' }, 'a equals ""'],
    [{ field: 'a', condition: 'equals', value: null }, 'a equals null'],
    [{ field: 'a', condition: 'in', value: [1, 'b'] }, 'a in [1,"b"]'],
  ])('reads %j as %s', (trigger, text) => {
    expect(triggerText(aRule({ trigger }))).toBe(text);
  });
});

describe('an Event of an outcome', () => {
  it.each<[ActionOutcome['status'], string]>([
    ['succeeded', 'Normal ActionSucceeded: r: webhook: so it went'],
    ['dryRun', 'Normal ActionDryRun: r: webhook: so it went'],
    ['failed', 'Warning ActionFailed: r: webhook (Cause): so it went'],
    ['refused', 'Warning ActionRefused: r: webhook (Cause): so it went'],
    ['unknown', 'Warning ActionOutcomeUnknown: r: webhook (Cause): so it went'],
  ])('that is %s', (status, event) => {
    const { type, reason, message } = outcomeEvent(
      { rule: 'r', action: 'webhook', pods: [] },
      { status, reason: 'Cause', message: 'so it went' },
    );
    expect(`${type} ${reason}: ${message}`).toBe(event);
  });

  it('is the same as another one that differs by numbers only, of the same rule', () => {
    const told = (rule: string, message: string) =>
      outcomeEvent({ rule, action: 'webhook', pods: [] }, { status: 'failed', reason: 'Timeout', message });
    expect(told('webhook-0', 'no answer within 10.3 s').sameAs).toBe(told('webhook-0', 'no answer within 9 s').sameAs);
    expect(told('webhook-0', 'no answer').sameAs).not.toBe(told('webhook-1', 'no answer').sameAs);
    expect(told('webhook-0', 'no answer').sameAs).not.toBe(told('webhook-0', 'refused').sameAs);
  });

  it('is about the first of its pods', () => {
    const pods = [
      { uid: 'u', name: 'p' },
      { uid: 'w', name: 'q' },
    ];
    const outcome = { status: 'succeeded', reason: 'Done', message: 'm' } as const;
    expect(outcomeEvent({ rule: 'r', action: 'webhook', pods }, outcome).pod).toEqual(pods[0]);
  });
});

describe('an Event of a phase', () => {
  const broken = aPlan({ problems: [{ field: 'spec.stateQuery', message: 'does not parse' }] });

  it('tells the start, each suspension, each return, and what is wrong with the spec', () => {
    const played = play(aPlan(), [
      { at: 0, pods: { a: healthy } },
      { at: 30, pods: { a: healthy }, plan: aPlan({ suspend: true }) },
      { at: 60, pods: { a: healthy } },
      { at: 90, pods: { a: healthy }, plan: aPlan() },
      { at: 120, pods: { a: healthy }, plan: broken },
      { at: 150, pods: { a: healthy } },
      { at: 180, pods: { a: healthy }, plan: aPlan() },
    ]);
    expect(eventsIn(played)).toEqual([
      'Normal MonitoringStarted: polls /graphql every 30 s',
      'Normal Suspended: polling and acting are suspended',
      'Normal Resumed: polls /graphql every 30 s again',
      'Warning InvalidSpec: spec.stateQuery: does not parse',
      'Normal MonitoringStarted: polls /graphql every 30 s (x2)',
    ]);
  });

  it('is not there where nothing new is said', () => {
    expect(phaseEvents({ phase: 'Monitoring', plan: aPlan() }, 'Monitoring')).toEqual([]);
    expect(phaseEvents({ plan: aPlan() }, 'Initializing')).toEqual([]);
  });
});

describe('shown', () => {
  it.each<[Json | undefined, string]>([
    [undefined, '(absent)'],
    [null, 'null'],
    ['', '""'],
    ['a b', 'a b'],
    [{ a: [1] }, '{"a":[1]}'],
  ])('writes %j as %s', (value, text) => {
    expect(shown(value)).toBe(text);
  });
});
