import { describe, expect, it } from '@jest/globals';
import type { CompiledRule, CompiledSpec } from '../../../src/domain/target-app/compiled-spec.ts';
import { step } from '../../../src/domain/target-app/decide.ts';
import { newMemory } from '../../../src/domain/target-app/memory.ts';
import {
  type Answer,
  aPlan,
  appUid,
  aRule,
  at,
  digestOf,
  eventsIn,
  fails,
  firedAt,
  healthy,
  type Poll,
  play,
  polls,
  requestsIn,
  says,
  told,
  uidOf,
  unhealthy,
} from '../../support/domain.ts';

const planWith = (rule: Partial<CompiledRule>, plan: Partial<CompiledSpec> = {}): CompiledSpec =>
  aPlan({ rules: [aRule({ onPods: false, ...rule })], ...plan });
const n = (value: unknown): Answer => says({ n: value as number });
const unreachable = { condition: 'unreachable' };
const failing = { condition: 'failing' };
const noPods = { condition: 'noPods' };
const changed = { field: 'n', condition: 'changed' };
/** Plays one pod, polled every 30 s. */
const story = (rule: Partial<CompiledRule>, answers: Answer[], plan: Partial<CompiledSpec> = {}): string[] =>
  told(play(planWith(rule, plan), polls(answers)));

describe('a level condition', () => {
  it.each<[string, Partial<CompiledRule>, Answer[], number[]]>([
    ['fires once while it lasts', {}, [healthy, unhealthy, unhealthy, unhealthy], [30]],
    ['fires at the baseline', {}, [unhealthy, unhealthy], [0]],
    ['fires again after it was false', {}, [unhealthy, healthy, unhealthy], [0, 60]],
    ['waits until it has held for long enough', { forMs: 60_000 }, [unhealthy, unhealthy, unhealthy, unhealthy], [60]],
    ['starts to wait anew after it was false', { forMs: 60_000 }, [unhealthy, healthy, unhealthy, unhealthy], []],
    ['repeats itself when asked to', { repeatMs: 60_000 }, [...Array(6)].map(() => unhealthy), [0, 60, 120]],
    ['does not repeat before it is due', { repeatMs: 61_000 }, [...Array(5)].map(() => unhealthy), [0, 90]],
    ['keeps its episode over a failed poll', {}, [unhealthy, fails(), unhealthy], [0]],
    [
      'is made up for after the cooldown',
      { cooldownMs: 100_000 },
      [unhealthy, healthy, unhealthy, unhealthy, unhealthy],
      [0, 120],
    ],
    ['cools down no longer than asked', { cooldownMs: 60_000 }, [unhealthy, healthy, unhealthy], [0, 60]],
    ['closes where the field is absent', {}, [unhealthy, says({}), unhealthy], [0, 60]],
    ['closes where the field is null', {}, [unhealthy, says({ health: null }), unhealthy], [0, 60]],
  ])('%s', (_, rule, answers, seconds) => {
    expect(firedAt(play(planWith(rule), polls(answers)))).toEqual(seconds);
  });

  it('lives on each pod by itself, and forgets a pod that is gone', () => {
    const played = play(planWith({}), [
      { at: 0, pods: { a: unhealthy, b: healthy } },
      { at: 30, pods: { a: unhealthy, b: unhealthy } },
      { at: 60, pods: { b: unhealthy } },
      { at: 90, pods: { a: unhealthy, b: unhealthy } },
    ]);
    expect(told(played)).toEqual(['0 s: restart on a fires', '30 s: restart on b fires', '90 s: restart on a fires']);
    expect(Object.keys(played[2]?.memory.rules['restart']?.episodes ?? {})).toEqual([uidOf('b')]);
    expect(played[2]?.memory.rules['restart']?.firings.at(-1)).toEqual({ subject: uidOf('b'), at: at(30) });
  });

  it('says what made it fire, to the pod and to the rule', () => {
    const plan = planWith({ stateRefs: ['version', 'absent'] }, { generation: 7 });
    const state = { health: 'unhealthy', version: 3 };
    const [request] = requestsIn(play(plan, polls([healthy, says(state)])));
    expect(request).toEqual({
      id: expect.stringMatching(/^app-uid:7:restart:uid-pod-a:\w+:0$/),
      generation: 7,
      rule: 'restart',
      content: plan.rules[0]?.content,
      action: 'restart_pod',
      pods: [{ uid: 'uid-pod-a', name: 'pod-a' }],
      field: 'health',
      oldValue: 'healthy',
      newValue: 'unhealthy',
      values: { version: 3, absent: null },
      at: at(30),
      dryRun: false,
    });
  });

  it('names the element that satisfies it, not the first one', () => {
    const trigger = { field: 'nodes[*].s', condition: 'equals', value: 'down' };
    const played = play(planWith({ trigger }), polls([says({ nodes: [{ s: 'up' }, { s: 'down' }] })]));
    expect(requestsIn(played)).toMatchObject([{ newValue: 'down' }]);
  });

  it.each([
    ['the plan', {}, { dryRun: true }],
    ['the rule', { dryRun: true }, {}],
  ])('is a dry run where %s says so', (_, rule, plan) => {
    expect(requestsIn(play(planWith(rule, plan), polls([unhealthy])))).toMatchObject([{ dryRun: true }]);
  });

  it('asks of a rule what it says under a name that every object inherits', () => {
    expect(story({ name: 'constructor' }, [unhealthy, unhealthy])).toEqual(['0 s: constructor on pod-a fires']);
  });
});

describe('an edge condition', () => {
  it.each<[string, Partial<CompiledRule>, Answer[], number[]]>([
    ['does not fire at the baseline', { trigger: changed }, [n(1), n(1)], []],
    ['fires at every change', { trigger: changed }, [n(1), n(2), n(2), n(3)], [30, 90]],
    [
      'is not made up for after the cooldown',
      { trigger: changed, cooldownMs: 100_000 },
      [n(1), n(2), n(3), n(3), n(3)],
      [30],
    ],
    ['sees what changed behind a failed poll', { trigger: changed }, [n(1), fails(), n(2)], [60]],
    ['sees no change in a failed poll', { trigger: changed }, [n(1), fails(), n(1)], []],
    ['has its baseline after failures', { trigger: changed }, [fails(), n(1), n(2)], [60]],
    [
      'compares with a value',
      { trigger: { ...changed, condition: 'changed_to', value: 2 } },
      [n(2), n(1), n(2), n(2)],
      [60],
    ],
    [
      'compares with a value before',
      { trigger: { ...changed, condition: 'changed_from', value: 2 } },
      [n(2), n(1), n(2)],
      [30],
    ],
    ['tells more from less', { trigger: { ...changed, condition: 'increased' } }, [n(9), n(10), n(9)], [30]],
    ['tells null from absence', { trigger: changed }, [n(null), says({})], [30]],
  ])('%s', (_, rule, answers, seconds) => {
    expect(firedAt(play(planWith(rule), polls(answers)))).toEqual(seconds);
  });

  it('is over as soon as it was seen: no episode stays open', () => {
    const played = play(planWith({ trigger: changed }), polls([n(1), n(2)]));
    const memory = played[1]?.memory.rules['restart'];
    expect(memory?.episodes).toEqual({});
    expect(memory?.firings).toEqual([{ subject: uidOf('pod-a'), at: at(30) }]);
  });

  it('says what the value was and is', () => {
    const requests = requestsIn(play(planWith({ trigger: changed }), polls([n(1), n(2), n(null)])));
    expect(requests).toMatchObject([
      { oldValue: 1, newValue: 2 },
      { oldValue: 2, newValue: null },
    ]);
  });

  it('does not fire for a new pod, nor for one that came back under its name', () => {
    const plan = planWith({ trigger: changed });
    const played = play(plan, [
      { at: 0, pods: { a: n(1) } },
      { at: 30, pods: { b: n(2) } },
      { at: 60, pods: { a: n(3), b: n(2) } },
    ]);
    expect(told(played)).toEqual([]);
  });

  it('does not fire for what is ignored below its field', () => {
    const plan = planWith({ trigger: { field: 'app', condition: 'changed' } }, { ignoreFields: ['app.ping'] });
    const state = (ping: number, other: number): Answer => says({ app: { ping, x: 1 }, other });
    expect(told(play(plan, polls([state(1, 1), state(2, 2)])))).toEqual([]);
  });

  it('fires for an ignored field that it names itself', () => {
    const plan = planWith({ trigger: changed }, { ignoreFields: ['n'] });
    const played = play(plan, polls([n(1), n(2)]));
    expect(firedAt(played)).toEqual([30]);
    expect(eventsIn(played).some((event) => event.includes('StateChanged'))).toBe(false);
  });
});

describe('a failed observation', () => {
  it.each<[string, Partial<CompiledRule>, Partial<CompiledSpec>, Answer[], string[]]>([
    ['keeps a running clock', { forMs: 60_000 }, {}, [unhealthy, fails(), unhealthy], ['60 s: restart on pod-a fires']],
    [
      'resets a running clock when asked to',
      { forMs: 60_000 },
      { onUnknown: 'reset' },
      [unhealthy, fails(), unhealthy, unhealthy, unhealthy],
      ['120 s: restart on pod-a fires'],
    ],
    [
      'does not reset what has fired',
      {},
      { onUnknown: 'reset' },
      [unhealthy, fails(), unhealthy],
      ['0 s: restart on pod-a fires'],
    ],
    [
      'holds back what would be due, and says so once',
      { forMs: 30_000 },
      {},
      [unhealthy, fails(), fails(), unhealthy],
      ['30 s: restart on pod-a held back: Unknown', '90 s: restart on pod-a fires'],
    ],
    [
      'never fires for what it does not say',
      { trigger: { field: 'health', condition: 'not_exists' } },
      {},
      [fails(), fails()],
      [],
    ],
    [
      'is what unreachable is about',
      { trigger: unreachable },
      {},
      [fails(), fails(), healthy, fails()],
      ['0 s: restart on pod-a fires', '60 s: restart on pod-a recovers', '90 s: restart on pod-a fires'],
    ],
    [
      'must last for unreachable as asked',
      { trigger: unreachable, forMs: 60_000 },
      {},
      [fails('Timeout'), fails('ConnectFailed'), fails()],
      ['60 s: restart on pod-a fires'],
    ],
  ])('%s', (_, rule, plan, answers, sentences) => {
    expect(story(rule, answers, plan)).toEqual(sentences);
  });

  it.each<[string, Partial<CompiledRule>, Answer[], number[]]>(
    [
      ['unreachable is not true of an app that answers something else', unreachable, [fails('GraphQLError')], []],
      ['failing is true of it', failing, [fails('GraphQLError'), fails('HTTPStatus')], [0]],
      ['failing is not true of an app that does not answer', failing, [fails('Timeout'), fails('TLSVerifyFailed')], []],
      ['a status may mean that nobody answers', unreachable, [fails('HTTPStatus', { kind: 'unreachable' })], [0]],
      [
        'neither is true where the trouble is not the app',
        unreachable,
        [fails('Throttled'), fails('EgressDenied')],
        [],
      ],
      ['neither is true where the trouble is not the app', failing, [fails('PodUnconfirmed')], []],
      ['what is not known does not end an episode', unreachable, [fails(), fails('Throttled'), fails()], [0]],
      [
        'what is not known does not end an episode',
        failing,
        [fails('NotJSON'), fails('Throttled'), fails('NotJSON')],
        [0],
      ],
      ['another kind of failure does', unreachable, [fails(), fails('NotJSON'), fails()], [0, 60]],
    ].map(([what, trigger, answers, seconds]) => [what, { trigger }, answers, seconds] as never),
  )('means what its kind says: %s', (_, rule, answers, seconds) => {
    expect(firedAt(play(planWith(rule), polls(answers)))).toEqual(seconds);
  });

  it('that an earlier version remembers without a kind is concluded from only when it is told again', () => {
    const [before] = play(planWith({ trigger: unreachable }), polls([fails()]));
    const withoutKind = (key: string, value: unknown) => (key === 'kind' ? undefined : value);
    const memory = JSON.parse(JSON.stringify(before?.memory ?? newMemory(), withoutKind));
    const plan = planWith({ trigger: unreachable });
    const { rules } = step(appUid, memory, { matched: 1 }, at(30)).memory;
    expect(Object.values(rules)[0]?.episodes).toHaveProperty(uidOf('pod-a'));
    expect(step(appUid, memory, { matched: 1, plan }, at(30)).decisions).toEqual([]);
  });

  it('leaves what was known as it was, so that the same state need not be told again', () => {
    const played = play(planWith({}), polls([healthy, fails(), healthy]));
    const [before, failed, after] = played.map(({ memory }) => memory.subjects[uidOf('pod-a')]);
    expect(failed).toEqual({ ...before, failure: fails().failure });
    expect(after).toEqual(before);
  });

  it('asks for no field where a rule is about the lack of an answer', () => {
    const [request] = requestsIn(play(planWith({ trigger: unreachable }), polls([fails()])));
    expect(request).not.toHaveProperty('field');
    expect(request).not.toHaveProperty('newValue');
  });

  it('does nothing with a condition that this version does not know', () => {
    expect(story({ trigger: { field: 'health', condition: 'from_the_future' } }, [unhealthy, healthy])).toEqual([]);
  });
});

describe('a quorum', () => {
  const pods = (letters: string): Record<string, Answer> =>
    Object.fromEntries(
      [...letters].map((letter, i) => [`p${i}`, { u: unhealthy, h: healthy, '?': fails() }[letter] ?? healthy]),
    );

  it.each<[CompiledRule['pods'], string, boolean]>([
    ['any', 'hhhh', false],
    ['any', 'hhhu', true],
    ['any', 'h?hh', false],
    ['any', 'u???', true],
    ['all', 'uuuu', true],
    ['all', 'uuuh', false],
    ['all', 'uuu?', false],
    [{ percent: 50 }, 'uuhh', true],
    [{ percent: 50 }, 'uhh', false],
    [{ percent: 50 }, 'uuh', true],
    [{ percent: 50 }, 'u?hh', false],
    [{ percent: 1 }, 'hhhh', false],
    [{ percent: 1 }, 'uhhh', true],
    [{ count: 2 }, 'uhhh', false],
    [{ count: 2 }, 'uuhh', true],
    [{ count: 2 }, 'uuuu', true],
    [{ count: 2 }, 'u', false],
    ['any', '', false],
    ['all', '', false],
  ])('of %j fires for %s: %s', (quorum, letters, fires) => {
    const played = play(planWith({ pods: quorum }), [{ at: 0, pods: pods(letters) }]);
    expect(told(played)).toEqual(fires ? ['0 s: restart on app fires'] : []);
  });

  it('fires once for all its pods, and names those that satisfy it', () => {
    const [request, ...more] = requestsIn(
      play(planWith({ pods: { count: 2 } }), [
        { at: 0, pods: pods('huu') },
        { at: 30, pods: pods('uuu') },
      ]),
    );
    expect(request?.pods.map(({ name }) => name)).toEqual(['p1', 'p2']);
    expect(more).toEqual([]);
  });

  it.each<[string, string[], number[]]>([
    ['is neither opened nor closed while the unknown ones may decide', ['uu', 'u?', 'uu'], [0]],
    ['is closed when the known ones decide', ['uu', 'h?', 'uu'], [0, 60]],
    ['goes on as long as enough satisfy it, whichever', ['uuh', 'huu', 'uhu'], [0]],
  ])('%s', (_, steps, seconds) => {
    const played = play(
      planWith({ pods: { count: 2 } }),
      steps.map((letters, i) => ({ at: i * 30, pods: pods(letters) })),
    );
    expect(firedAt(played)).toEqual(seconds);
  });

  it.each<[CompiledRule['pods'], string, number, boolean]>([
    ['all', 'u', 5, false],
    ['all', 'uuuuu', 5, true],
    ['any', 'u', 5, true],
    [{ percent: 50 }, 'u', 2, true],
    [{ percent: 50 }, 'u', 3, false],
    [{ count: 2 }, 'u', 5, false],
  ])(
    'of %j counts the pods that match, not those that were asked: %s of %d fire: %s',
    (quorum, letters, matched, fires) => {
      const played = play(planWith({ pods: quorum }), [{ at: 0, pods: pods(letters), matched }]);
      expect(firedAt(played)).toEqual(fires ? [0] : []);
    },
  );

  it('counts a pod of which nobody knows whether it exists, though it is not among those that match', () => {
    const plan = planWith({ pods: 'all', trigger: unreachable });
    const unconfirmed = { a: fails(), b: fails('PodUnconfirmed') };
    expect(firedAt(play(plan, [{ at: 0, pods: unconfirmed, matched: 1 }]))).toEqual([]);
  });

  it.each<[string, Partial<Poll>]>([
    ['all its pods are gone', { pods: {} }],
    ['none of its pods runs', { pods: {}, matched: 3 }],
    ['it cannot be said which pods there are', { pods: {}, podsUnknown: 'forbidden' }],
    ['there are pods that were not asked, and they may decide', { pods: pods('h'), matched: 3 }],
  ])('is not over because %s', (_, then) => {
    const played = play(planWith({ pods: { count: 2 } }), [
      { at: 0, pods: pods('uu') },
      { at: 30, ...then },
      { at: 60, pods: pods('uu') },
    ]);
    expect(firedAt(played)).toEqual([0]);
  });

  it('of an app that is asked as a whole is that app, without a pod', () => {
    const plan = planWith({}, { perPod: false });
    const [request] = requestsIn(play(plan, polls([unhealthy], 30, 'app')));
    expect(request).toMatchObject({ pods: [], newValue: 'unhealthy' });
  });
});

describe('noPods', () => {
  const nobody = { pods: {} };
  const one = { pods: { a: healthy } };

  it.each<[string, Partial<CompiledRule>, Omit<Poll, 'at'>[], number[]]>([
    ['is true when nothing matches', {}, [nobody], [0]],
    ['is true when nothing runs', {}, [{ pods: {}, matched: 3 }], [0]],
    ['is true of the app as a whole, once', {}, [nobody, nobody, one, nobody], [0, 90]],
    [
      'is not true of an app that runs, whatever it says',
      {},
      [{ pods: { a: fails() } }, { pods: { a: unhealthy } }],
      [],
    ],
    ['may have to last', { forMs: 60_000 }, [nobody, nobody, nobody], [60]],
    ['starts anew after somebody ran', { forMs: 60_000 }, [nobody, one, nobody, nobody], []],
    ['is not known when it cannot be said which pods there are', {}, [{ pods: {}, podsUnknown: 'forbidden' }], []],
    [
      'is not over because it cannot be said which pods there are',
      {},
      [nobody, { pods: {}, podsUnknown: 'away' }, nobody],
      [0],
    ],
  ])('%s', (_, rule, steps, seconds) => {
    const plan = planWith({ trigger: noPods, ...rule });
    expect(
      firedAt(
        play(
          plan,
          steps.map((poll, i) => ({ at: i * 30, ...poll })),
        ),
      ),
    ).toEqual(seconds);
  });

  it('acts on no pod', () => {
    const [request] = requestsIn(play(planWith({ trigger: noPods }), [{ at: 0, ...nobody }]));
    expect(request).toMatchObject({ id: expect.stringContaining(':app:'), pods: [] });
  });
});

describe('what holds a rule back', () => {
  it('is said once per episode and reason, though reasons alternate', () => {
    const rule = { cooldownMs: 600_000 };
    const answers = [unhealthy, healthy, unhealthy, fails(), unhealthy, fails(), unhealthy];
    expect(story(rule, answers)).toEqual([
      '0 s: restart on pod-a fires',
      '30 s: restart on pod-a recovers',
      '60 s: restart on pod-a held back: Cooldown',
      '90 s: restart on pod-a held back: Unknown',
    ]);
  });

  it('is said once though the rule fires again within the episode', () => {
    const rule = { cooldownMs: 60_000, repeatMs: 30_000 };
    expect(story(rule, [unhealthy, unhealthy, unhealthy, unhealthy, unhealthy])).toEqual([
      '0 s: restart on pod-a fires',
      '30 s: restart on pod-a held back: Cooldown',
      '60 s: restart on pod-a fires',
      '120 s: restart on pod-a fires',
    ]);
  });

  it('is said again in the next episode', () => {
    const answers = [unhealthy, healthy, unhealthy, unhealthy, healthy, unhealthy];
    expect(story({ cooldownMs: 600_000 }, answers)).toEqual([
      '0 s: restart on pod-a fires',
      '30 s: restart on pod-a recovers',
      '60 s: restart on pod-a held back: Cooldown',
      '150 s: restart on pod-a held back: Cooldown',
    ]);
  });

  it('is the most it may fire within a span, over all pods', () => {
    const rule = { maxFirings: { max: 2, perMs: 60_000 } };
    const all = { a: unhealthy, b: unhealthy, c: unhealthy };
    const played = play(planWith(rule), [
      { at: 0, pods: all },
      { at: 30, pods: all },
      { at: 60, pods: all },
    ]);
    expect(told(played)).toEqual([
      '0 s: restart on a fires',
      '0 s: restart on b fires',
      '0 s: restart on c held back: MaxFirings',
      '60 s: restart on c fires',
    ]);
    expect(played[0]?.memory.rules['restart']?.lastSuppression).toEqual({
      reason: 'MaxFirings',
      message: 'fired 2 times within 60 s, the limit is 2',
      at: at(0),
    });
  });

  it('is a back-off that grows when a new pod is no better than the one before it', () => {
    // Each restart gives a new pod that is unhealthy from its first sight on.
    let generation = 0;
    const seen: number[] = [];
    let played = play(aPlan(), []);
    for (let second = 0; second <= 200; second += 5) {
      const poll: Poll = { at: second, pods: { [`pod-${generation}`]: unhealthy } };
      played = play(aPlan(), [poll], played.at(-1)?.memory);
      if (firedAt(played).length === 0) continue;
      seen.push(second);
      generation += 1;
    }
    expect(seen).toEqual([0, 10, 30, 70, 150]);
  });

  it.each<[string, Partial<CompiledRule>, Poll[], string[]]>([
    [
      'is no back-off for actions that are not on pods',
      { onPods: false },
      [
        { at: 0, pods: { a: unhealthy } },
        { at: 5, pods: { b: unhealthy } },
      ],
      ['0 s: restart on a fires', '5 s: restart on b fires'],
    ],
    [
      'is no back-off among pods that are seen at once',
      { onPods: true },
      [{ at: 0, pods: { a: unhealthy, b: unhealthy } }],
      ['0 s: restart on a fires', '0 s: restart on b fires'],
    ],
    [
      'is no back-off for a pod that was healthy before',
      { onPods: true },
      [
        { at: 0, pods: { a: unhealthy, b: healthy } },
        { at: 5, pods: { a: unhealthy, b: unhealthy } },
      ],
      ['0 s: restart on a fires', '5 s: restart on b fires'],
    ],
    [
      'is a back-off that is forgotten in time',
      { onPods: true },
      [
        { at: 0, pods: { a: unhealthy } },
        { at: 10, pods: { b: unhealthy } },
        { at: 15, pods: { c: unhealthy } },
        { at: 610, pods: { d: unhealthy } },
        { at: 620, pods: { e: unhealthy } },
      ],
      [
        '0 s: restart on a fires',
        '10 s: restart on b fires',
        '15 s: restart on c held back: BackOff',
        '610 s: restart on d fires',
        '620 s: restart on e fires',
      ],
    ],
  ])('%s', (_, rule, steps, sentences) => {
    expect(told(play(planWith(rule), steps))).toEqual(sentences);
  });
});

describe('a rule that cannot be judged', () => {
  const undecided = (rule: Partial<CompiledRule>, answers: Answer[]) =>
    play(planWith(rule), polls(answers)).map(({ memory }) => memory.rules['restart']?.undecided);
  const height = { field: 'n', condition: 'greater_than', value: 5 };

  it('says so as long as it lasts, in the same words, and since when', () => {
    const found = undecided({ trigger: height }, [n(1), n('359606'), n('359607'), n(7), n('8')]);
    const message =
      'cannot tell whether n greater_than the number 5, because the value is the text "359606"; add as: number to the trigger if the text is to count as a number (pod-a)';
    const told = { reason: 'TriggerTypeMismatch', message, since: at(30) };
    expect(found).toEqual([undefined, told, told, undefined, { ...told, message: expect.any(String), since: at(120) }]);
  });

  it.each<[string, CompiledRule['trigger'], Answer]>([
    ['a change to a value of another type', { field: 'n', condition: 'changed_to', value: 5 }, n('5')],
    ['more of what is no number', { field: 'n', condition: 'increased' }, n('5')],
    ['a list in which nothing can be compared', { field: 'n', condition: 'in', value: [5, 6] }, n('5')],
    ['a text among numbers', { field: 'n', condition: 'less_than', value: 5, as: 'number' }, n('five')],
  ])('says so at every poll, whatever the moment of a change is: %s', (_, trigger, answer) => {
    const found = undecided({ trigger }, [answer, answer, answer]);
    expect(found.at(-1)).toMatchObject({ reason: 'TriggerTypeMismatch' });
  });

  it('says why a field is not known', () => {
    const why = 'it has a number that cannot be compared exactly';
    const [found] = undecided({ trigger: height }, [{ ...says({ n: null }, ['n']), why }]);
    expect(found).toEqual({ reason: 'FieldUnknown', message: `n is not known (pod-a): ${why}`, since: at(0) });
  });

  it.each<[string, CompiledRule['trigger'], Answer]>([
    ['its field is known', height, says({ n: 1, m: null }, ['m'])],
    ['the app does not answer', height, fails()],
    ['one of several values satisfies it', { field: 'l[*]', condition: 'equals', value: 5 }, says({ l: ['x', 5] })],
    ['the field is absent', height, says({})],
    ['the field is null', height, n(null)],
    ['it is about no field', failing, fails('NotJSON')],
    ['it asks for any change', { field: 'n', condition: 'changed' }, n('x')],
  ])('is not one of which %s', (_, trigger, answer) => {
    expect(undecided({ trigger }, [answer, answer]).at(-1)).toBeUndefined();
  });
});

describe('values that cannot be compared', () => {
  const rule = { trigger: { field: 'n', condition: 'greater_than', value: 5 } };

  it('are said once, and do not fire', () => {
    expect(story(rule, [n('9'), n('8'), n(1), n('9')])).toEqual(['0 s: restart on pod-a cannot tell']);
  });

  it('close an episode, because they are not true', () => {
    expect(story(rule, [n(9), n('9'), n(9)])).toEqual([
      '0 s: restart on pod-a fires',
      '30 s: restart on pod-a cannot tell',
      '30 s: restart on pod-a recovers',
      '60 s: restart on pod-a fires',
    ]);
  });
});

describe('numbers that come as text', () => {
  const asNumber = (trigger: object, answers: Answer[]): number[] =>
    firedAt(
      play(planWith({ trigger: { field: 'n', as: 'number', ...trigger } as CompiledRule['trigger'] }), polls(answers)),
    );

  it.each<[string, object, Answer[], number[]]>([
    ['are compared', { condition: 'greater_than', value: 5 }, [n('359606')], [0]],
    ['are compared as numbers, not letter by letter', { condition: 'greater_than', value: '9' }, [n('10')], [0]],
    ['are compared exactly', { condition: 'greater_than', value: '9007199254740992' }, [n('9007199254740993')], [0]],
    ['are compared exactly', { condition: 'greater_than', value: '9007199254740993' }, [n('9007199254740993')], []],
    ['are equal however they are written', { condition: 'equals', value: 1000 }, [n('1e3'), n('1000.0'), n(1000)], [0]],
    ['are in a list of numbers', { condition: 'in', value: [1, '2.50'] }, [n('3'), n('2.5')], [30]],
    ['are not in it', { condition: 'not_in', value: [1, '2.50'] }, [n('2.5'), n('3')], [30]],
    ['increase', { condition: 'increased' }, [n('9'), n('10'), n('10.0')], [30]],
    ['decrease', { condition: 'decreased' }, [n('-9'), n('-10')], [30]],
    ['change to a value', { condition: 'changed_to', value: 10 }, [n('9'), n('10'), n('10.0')], [30]],
    [
      'are no numbers where they are something else',
      { condition: 'less_than', value: 5 },
      [n(''), n('1 h'), n(' 1')],
      [],
    ],
    ['are absent where they are null', { condition: 'less_than', value: 5 }, [n(null), says({})], []],
    ['are any element of a list', { field: 'n[*]', condition: 'greater_than', value: 5 }, [n(['1', 6])], [0]],
  ])('%s', (_, trigger, answers, seconds) => {
    expect(asNumber(trigger, answers)).toEqual(seconds);
  });

  it('are told to the action as they came', () => {
    const trigger = { field: 'n[*]', condition: 'greater_than', value: 5, as: 'number' as const };
    expect(requestsIn(play(planWith({ trigger }), polls([n(['1', '6', '7'])])))).toMatchObject([{ newValue: '6' }]);
  });

  it('remain text where nobody says otherwise', () => {
    expect(story({ trigger: { field: 'n', condition: 'greater_than', value: 5 } }, [n('6')])).toEqual([
      '0 s: restart on pod-a cannot tell',
    ]);
  });
});

describe('an edit of the spec', () => {
  const before = aPlan();
  const edited = (replaced: Partial<CompiledRule>, plan: Partial<CompiledSpec> = {}): CompiledSpec =>
    aPlan({ generation: 2, rules: [aRule(replaced)], ...plan });

  it.each<[string, CompiledSpec, number[]]>([
    ['keeps episodes when another field changes', edited({}, { intervalMs: 60_000 }), [0]],
    ['keeps episodes when limits of the rule change', edited({ cooldownMs: 1, forMs: 1, dryRun: true }), [0]],
    ['keeps episodes when the question changes', edited({}, { source: 'source-2' }), [0]],
    [
      'opens new ones when the value changes',
      edited({ trigger: { field: 'health', condition: 'not_equals', value: 'healthy' } }),
      [0, 30],
    ],
    ['opens new ones when the action changes', edited({ action: 'webhook', onPods: false }), [0, 30]],
    ['opens new ones when the quorum changes', edited({ pods: 'any' }), [0, 30]],
  ])('%s', (_, after, seconds) => {
    const played = play(before, [
      { at: 0, pods: { a: unhealthy } },
      { at: 30, pods: { a: unhealthy }, plan: after },
      { at: 60, pods: { a: unhealthy } },
    ]);
    expect(firedAt(played)).toEqual(seconds);
  });

  it('that makes no sense forgets nothing: once mended, what has fired stays fired', () => {
    const problems = [{ field: 'spec.stateQuery', message: 'does not parse' }];
    const played = play(before, [
      { at: 0, pods: { a: unhealthy } },
      { at: 30, pods: { a: unhealthy }, plan: aPlan({ generation: 2, rules: [], source: '', problems }) },
      { at: 60, pods: { a: unhealthy }, plan: edited({}, { generation: 3 }) },
      { at: 90, pods: { a: unhealthy } },
    ]);
    expect(firedAt(played)).toEqual([0]);
  });

  it('opens a new episode where a quorum asks for another number', () => {
    const played = play(aPlan({ rules: [aRule({ pods: 'any' })] }), [
      { at: 0, pods: { a: unhealthy } },
      { at: 30, pods: { a: unhealthy }, plan: edited({ pods: { count: 1 } }) },
    ]);
    expect(firedAt(played)).toEqual([0, 30]);
  });

  it('makes answers to another question a baseline: nothing has changed', () => {
    const plan = planWith({ trigger: changed });
    const other = planWith({ trigger: changed }, { source: 'source-2' });
    const played = play(plan, [
      { at: 0, pods: { a: n(1) } },
      { at: 30, pods: { a: n(2) }, plan: other },
    ]);
    expect(told(played)).toEqual([]);
    expect(eventsIn(played).filter((event) => event.includes('StateChanged'))).toEqual([]);
  });

  it('forgets the rule that is no longer there', () => {
    const played = play(before, [
      { at: 0, pods: { a: unhealthy } },
      { at: 30, pods: { a: unhealthy }, plan: aPlan({ rules: [] }) },
    ]);
    expect(played[1]?.memory.rules).toEqual({});
  });
});

describe('a workflow whose database was lost', () => {
  const digest = digestOf(aRule());
  const mirror = [{ rule: 'restart', digest, subject: uidOf('a'), since: at(0), firedAt: at(0) }];

  it('does not fire a second time for an episode that the status tells', () => {
    const played = play(aPlan(), [{ at: 30, pods: { a: unhealthy, b: unhealthy }, mirror }]);
    expect(told(played)).toEqual(['30 s: restart on b fires']);
    expect(played[0]?.memory.rules['restart']?.firings[0]).toEqual({ subject: uidOf('a'), at: at(0) });
  });

  it('goes on with the clock of an episode that has not fired', () => {
    const waiting = [{ rule: 'restart', digest, subject: uidOf('a'), since: at(0) }];
    const played = play(planWith({ forMs: 60_000 }), [{ at: 60, pods: { a: unhealthy }, mirror: waiting }]);
    expect(firedAt(played)).toEqual([60]);
  });

  it('lets go of episodes of rules and pods that are no longer there', () => {
    const old = [
      ...mirror,
      { rule: 'removed', digest: 'x-y', subject: uidOf('a'), since: at(0) },
      { rule: 'restart', digest, subject: uidOf('z'), since: at(0) },
    ];
    const played = play(aPlan(), [{ at: 30, pods: { a: unhealthy }, mirror: old }]);
    expect(Object.keys(played[0]?.memory.rules ?? {})).toEqual(['restart']);
    expect(Object.keys(played[0]?.memory.rules['restart']?.episodes ?? {})).toEqual([uidOf('a')]);
  });

  it('repeats under ids that it would have used, never under one that was used', () => {
    const plan = planWith({ repeatMs: 30_000 });
    const whole = requestsIn(play(plan, polls([unhealthy, unhealthy, unhealthy, unhealthy])));
    const lost = requestsIn(
      play(plan, [
        ...polls([unhealthy, unhealthy, unhealthy]),
        {
          at: 90,
          pods: { 'pod-a': unhealthy },
          forgotten: true,
          mirror: [{ rule: 'restart', digest, subject: uidOf('pod-a'), since: at(0), firedAt: at(60) }],
        },
      ]),
    );
    expect(lost.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
    expect(new Set(whole.map(({ id }) => id)).size).toBe(4);
  });
});

describe('action ids', () => {
  it('differ by rule, pod, episode and generation', () => {
    const plan = aPlan({ rules: [aRule({ onPods: false }), aRule({ name: 'other', onPods: false })] });
    const again = { ...plan, generation: 2, digest: 'other' };
    const both = { a: unhealthy, b: unhealthy };
    const none = { a: healthy, b: healthy };
    const steps = [
      { at: 0, pods: both },
      { at: 30, pods: none },
      { at: 60, pods: both },
      { at: 90, pods: none },
    ];
    const ids = requestsIn(play(plan, [...steps, { at: 120, pods: both, plan: again }])).map(({ id }) => id);
    expect(ids).toHaveLength(12);
    expect(new Set(ids).size).toBe(12);
  });
});

describe('partial data', () => {
  const ok = says({ health: 'healthy', x: 1 });
  const errored = says({ health: null, x: 1 }, ['health']);
  const down = says({ health: 'unhealthy', x: 1 });
  const isNull = { field: 'health', condition: 'equals', value: null };
  const healthChanged = { field: 'health', condition: 'changed' };

  it.each<[string, Partial<CompiledRule>, Answer[], number[]]>([
    ['is not a change to null', { trigger: healthChanged }, [ok, errored, ok], []],
    ['is compared with what was known last', { trigger: healthChanged }, [ok, errored, down], [60]],
    ['is not null', { trigger: isNull }, [errored, errored], []],
    ['does not close an episode', {}, [down, errored, down], [0]],
    [
      'does not keep rules on other fields from firing',
      { trigger: { field: 'x', condition: 'equals', value: 1 } },
      [errored],
      [0],
    ],
    ['has its baseline when it is seen first', { trigger: healthChanged }, [errored, errored, ok, down], [90]],
    ['has its baseline behind failures, too', { trigger: healthChanged }, [errored, fails(), ok, down], [90]],
    [
      'has its baseline when it is seen first after a failure in between',
      { trigger: healthChanged },
      [errored, fails(), errored, ok],
      [],
    ],
    ['may open an episode when it is seen first', {}, [errored, down], [30]],
  ])('%s', (_, rule, answers, seconds) => {
    const played = play(planWith(rule), polls(answers));
    expect(firedAt(played)).toEqual(seconds);
  });

  it('says nothing of a change that an error hides', () => {
    const changes = eventsIn(play(planWith({ trigger: isNull }), polls([errored, ok, errored, ok, errored, down])));
    expect(changes.filter((event) => event.includes('StateChanged'))).toEqual([
      'Warning StateChanged: health changed from healthy to unhealthy on pod pod-a',
    ]);
  });

  it.each<[string, string[], boolean]>([
    ['a.b', ['a.b'], false],
    ['a.b', ['a'], false],
    ['a', ['a.b'], false],
    ['l[0].s', ['l[0].s'], false],
    ['l[0].s', ['l[1].s'], true],
    ['l[*].s', ['l[1].s'], false],
    ['l', ['l[1].s'], false],
    ['l[0].s', ['l'], false],
    ['a.b', ['a.c'], true],
    ['a.b', ['ab'], true],
    ['a.b', [' not a path '], false],
  ])('lets a rule on %s be judged beside errors in %j: %s', (field, unknown, isJudged) => {
    const state = { a: { b: 1, c: 1 }, ab: 1, l: [{ s: 1 }, { s: 1 }] };
    const rule = { trigger: { field, condition: 'exists' } };
    expect(firedAt(play(planWith(rule), polls([says(state, unknown)])))).toEqual(isJudged ? [0] : []);
  });

  it('takes elements of a list from where they were', () => {
    const nodes = (...s: (string | null)[]): Answer['state'] => ({ nodes: s.map((status) => ({ status })) });
    const plan = planWith({ trigger: { field: 'nodes[*].status', condition: 'changed' } });
    const played = play(
      plan,
      polls([says(nodes('up', 'up') ?? null), says(nodes(null, 'up') ?? null, ['nodes[0].status'])]),
    );
    expect(played[1]?.memory.subjects[uidOf('pod-a')]?.state).toEqual(nodes('up', 'up'));
    expect(told(played)).toEqual([]);
  });
});
