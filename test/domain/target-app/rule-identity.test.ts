import { describe, expect, it } from '@jest/globals';
import type { CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import { predecessors, withKeys } from '../../../src/domain/target-app/rule-identity.ts';
import {
  type Answer,
  aPlan,
  aRule,
  at,
  digestOf,
  healthy,
  type Poll,
  play,
  told,
  uidOf,
  unhealthy,
} from '../../support/domain.ts';

/** A rule as a spec without names compiles it: called by its action and place, told from others by what it says. */
const unnamed = (index: number, content: string, replaced: Partial<CompiledRule> = {}): CompiledRule =>
  aRule({ name: `webhook-${index}`, key: content, action: 'webhook', onPods: false, content, ...replaced });

const edit = (
  before: CompiledRule[],
  after: CompiledRule[],
  answers: Answer[] = [unhealthy, unhealthy, unhealthy],
): Poll[] =>
  answers.map((answer, i) => ({
    at: i * 30,
    pods: { a: answer },
    plan: aPlan({ rules: i === 0 ? before : after, generation: i === 0 ? 1 : 2 }),
  }));

const storyOf = (before: CompiledRule[], after: CompiledRule[], answers?: Answer[]): string[] =>
  told(play(aPlan(), edit(before, after, answers)));

describe('the memory of a rule without a name', () => {
  const [a, b, c] = ['aa', 'bb', 'cc'];

  it.each<[string, string[], string[], string[]]>([
    ['stays with it when a rule is inserted above it', [a], [b, a], ['30 s: webhook-0 on a fires']],
    ['stays with it when rules change places', [a, b], [b, a], []],
    ['stays with it when one above it is removed', [a, b], [b], []],
    ['stays with it when another one takes the place of a third', [a, b], [c, b], []],
    ['goes to one that asks the same with other parameters', [a], [b], []],
    ['is nobody else’s when it is removed and a new one comes', [a], [], []],
  ])('%s', (_, before, after, later) => {
    const plans = (contents: string[]) => contents.map((content, i) => unnamed(i, content));
    const first = before.map((_content, i) => `0 s: webhook-${i} on a fires`);
    expect(storyOf(plans(before), plans(after))).toEqual([...first, ...later]);
  });

  it('is not taken over by a rule that asks something else under its name', () => {
    const other = unnamed(0, 'dd', {
      trigger: { field: 'health', condition: 'not_equals', value: 'healthy' },
      question: 'other',
    });
    expect(storyOf([unnamed(0, a)], [other])).toEqual(['0 s: webhook-0 on a fires', '30 s: webhook-0 on a fires']);
  });
});

describe('a rule with a name of its own', () => {
  const named = (name: string, content: string): CompiledRule => aRule({ name, key: content, content, onPods: false });

  it('keeps its memory when it is renamed', () => {
    expect(storyOf([named('old', 'aa')], [named('new', 'aa')])).toEqual(['0 s: old on a fires']);
  });

  it('keeps its memory when only its parameters are edited, whatever stands beside it', () => {
    const before = [named('first', 'aa'), named('second', 'bb')];
    const after = [named('second', 'xx'), named('first', 'yy')];
    expect(storyOf(before, after)).toEqual(['0 s: first on a fires', '0 s: second on a fires']);
  });
});

describe('rules', () => {
  it('have keys of their own, also where two say the same', () => {
    const twins = [unnamed(0, 'aa'), unnamed(1, 'aa')];
    const keyed = withKeys(twins, []);
    expect(keyed.map(({ key }) => key)).toEqual(['aa', 'aa~2']);
    const again = withKeys([unnamed(0, 'aa'), unnamed(1, 'aa')], predecessors(keyed, twins));
    expect(again.map(({ key }) => key)).toEqual(['aa', 'aa~2']);
  });

  it('do not take the key of one that was edited and keeps it', () => {
    const [before] = withKeys([unnamed(0, 'aa')], []);
    const after = [unnamed(0, 'aa'), unnamed(1, 'bb')].toReversed();
    const keyed = withKeys(
      after,
      predecessors(before === undefined ? [] : [{ ...before, name: 'webhook-1', content: 'bb' }], after),
    );
    expect(keyed.map(({ key }) => key)).toEqual(['aa', 'aa~2']);
  });
});

describe('what a status tells of an earlier life', () => {
  const rule = unnamed(0, 'aa');
  const mirror = [{ rule: 'webhook-0', digest: digestOf(rule), subject: uidOf('a'), since: at(0), firedAt: at(0) }];
  const seen = (rules: CompiledRule[], problems: { field: string; message: string }[] = []) => ({
    at: 30,
    pods: { a: unhealthy },
    plan: aPlan({ rules, problems }),
  });

  it('is believed for the rule that it was written for, wherever that stands now', () => {
    const moved = { ...rule, name: 'webhook-1' };
    expect(told(play(aPlan(), [{ ...seen([unnamed(0, 'bb'), moved]), mirror }]))).toEqual([
      '30 s: webhook-0 on a fires',
    ]);
  });

  it('is not believed for another rule under the same name', () => {
    const other = unnamed(0, 'zz', { question: 'other' });
    expect(told(play(aPlan(), [{ ...seen([other]), mirror }]))).toEqual(['30 s: webhook-0 on a fires']);
  });

  it('is kept while the spec makes no sense, and believed when it is mended', () => {
    const broken = [{ field: 'spec.actions[0].trigger.field', message: 'is not selected' }];
    const played = play(aPlan(), [
      { ...seen([], broken), mirror },
      { ...seen([rule]), at: 60 },
    ]);
    expect(told(played)).toEqual([]);
    expect(played[1]?.memory.firedEpisodes).toBeUndefined();
  });

  it('leaves an action that had not ended undone, and says so', () => {
    const open = mirror.map((entry) => ({ ...entry, pending: 'u:1:webhook-0:a:0:0' }));
    const played = play(aPlan(), [{ ...seen([rule]), mirror: open }]);
    expect(told(played)).toEqual([]);
    expect(played[0]?.events.map(({ reason }) => reason)).toContain('ActionOutcomeUnknown');
    expect(played[0]?.memory.rules['aa']?.lastOutcome).toMatchObject({ status: 'unknown', actionId: open[0]?.pending });
  });
});

describe('a rule that is no longer a dry run', () => {
  it('acts on what it only said it would do', () => {
    const dry = aRule({ onPods: false, dryRun: true });
    const polls = [
      { at: 0, pods: { a: unhealthy }, plan: aPlan({ rules: [dry] }) },
      { at: 30, pods: { a: unhealthy }, plan: aPlan({ rules: [{ ...dry, dryRun: false }], generation: 2 }) },
      { at: 60, pods: { a: unhealthy } },
      { at: 90, pods: { a: healthy } },
    ];
    const [played] = [play(aPlan(), polls)];
    expect(told(played)).toEqual([
      '0 s: restart on a fires',
      '30 s: restart on a fires',
      '90 s: restart on a recovers',
    ]);
    expect(
      played.flatMap(({ decisions }) => decisions.flatMap((d) => (d.kind === 'fire' ? [d.request.dryRun] : []))),
    ).toEqual([true, false]);
  });
});
