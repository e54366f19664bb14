import { describe, expect, it } from '@jest/globals';
import type { SubjectView } from '../../../src/domain/target-app/findings.ts';
import { undone } from '../../../src/domain/target-app/firing.ts';
import { newRuleMemory } from '../../../src/domain/target-app/memory.ts';
import { aRule, at } from '../../support/domain.ts';
import { turn, undosIn, view } from '../../support/one-rule.ts';

describe('a firing that is undone', () => {
  it('does not touch a firing that came before it in the same episode', () => {
    const rule = aRule({ onPods: false, repeatMs: 30_000 });
    const first = turn(rule, newRuleMemory(), [view('a', 'unhealthy')], 0);
    const second = turn(rule, first.memory, [view('a', 'unhealthy', 'unhealthy')], 30);
    const [undo] = undosIn(second);
    expect(undo).toMatchObject({ at: at(30), firedAt: at(0) });
    const restored = undo === undefined ? second.memory : undone(second.memory, undo);
    expect(restored.episodes['a']).toMatchObject({ firedAt: at(0) });
    expect(undosIn(turn(rule, restored, [view('a', 'unhealthy', 'unhealthy')], 60))).toHaveLength(1);
  });

  it('gives an edge back, which fires again with the values that it had', () => {
    const rule = aRule({ onPods: false, trigger: { field: 'health', condition: 'changed' } });
    const fired = turn(rule, newRuleMemory(), [view('a', 'worse', 'healthy')], 0);
    const restored = undosIn(fired).reduce(undone, fired.memory);
    const again = turn(rule, restored, [view('a', 'worse', 'worse')], 30);
    expect(again.decisions).toMatchObject([{ kind: 'fire', request: { oldValue: 'healthy', newValue: 'worse' } }]);
    expect(turn(rule, again.memory, [view('a', 'worse', 'worse')], 60).decisions).toEqual([]);
    expect(again.memory.missed).toBeUndefined();
  });
});

describe('a rule for whose actions there is no room', () => {
  const full = { room: 1, waiting: new Set<string>() };

  it('fires for those that there is room for, and for the others when there is', () => {
    const rule = aRule({ onPods: false });
    const ill = ['a', 'b', 'c'].map((subject) => view(subject, 'unhealthy'));
    const first = turn(rule, newRuleMemory(), ill, 0, full);
    expect(first.decisions.map(({ kind }) => kind)).toEqual(['fire', 'suppress', 'suppress']);
    const second = turn(rule, first.memory, ill, 30);
    expect(second.decisions.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual(['fire b', 'fire c']);
  });

  it('fires for a change later that it could not fire for', () => {
    const rule = aRule({ onPods: false, trigger: { field: 'health', condition: 'changed_to', value: 'worse' } });
    const none = { room: 0, waiting: new Set<string>() };
    const held = turn(rule, newRuleMemory(), [view('a', 'worse', 'healthy')], 0, none);
    expect(held.decisions).toMatchObject([{ kind: 'suppress', reason: 'Busy' }]);
    const later = turn(rule, held.memory, [view('a', 'healthy', 'worse')], 30);
    expect(later.decisions).toMatchObject([{ kind: 'fire', request: { oldValue: 'healthy', newValue: 'worse' } }]);
  });
});

describe('restarts', () => {
  const rule = aRule({ paced: true, maxFirings: { max: 5, perMs: 3_600_000 } });
  const ill = (names: string) => [...names].map((subject) => view(subject, 'unhealthy'));
  const well = (names: string) => [...names].map((subject) => view(subject, 'healthy', 'unhealthy'));
  const firedOn = ({ decisions }: ReturnType<typeof turn>) =>
    decisions.flatMap(({ kind, subject }) => (kind === 'fire' ? [subject] : []));

  it('of one workload are never all at once, back off, and stop', () => {
    let memory = newRuleMemory();
    const times: number[] = [];
    // Every replacement is as ill as the pod that it replaces.
    let pods = 'abcdef';
    for (let second = 0; second <= 1_800; second += 1) {
      const done = turn(rule, memory, ill(pods), second);
      memory = done.memory;
      for (const subject of firedOn(done)) {
        times.push(second);
        pods = pods.replace(subject, String.fromCharCode(pods.charCodeAt(5) + times.length));
      }
    }
    expect(times).toEqual([0, 10, 30, 70, 150]);
    expect(memory.lastSuppression).toMatchObject({ reason: 'MaxFirings' });
  });

  it('begin without a pause again when all was well in between', () => {
    const first = turn(rule, newRuleMemory(), ill('a'), 0);
    const replaced = turn(rule, first.memory, [{ ...view('b', 'healthy'), seenAt: at(5) }], 5);
    expect(replaced.decisions).toMatchObject([{ kind: 'recover', subject: 'a' }]);
    const calm = turn(rule, replaced.memory, well('b'), 6);
    expect(firedOn(turn(rule, calm.memory, [view('b', 'unhealthy', 'healthy')], 8))).toEqual(['b']);
  });

  it('hold to the cooldown of the pod that was replaced', () => {
    const cool = { ...rule, cooldownMs: 600_000 };
    const first = turn(cool, newRuleMemory(), ill('a'), 0);
    const replacement = [{ ...view('b', 'unhealthy'), seenAt: at(20) }];
    const second = turn(cool, first.memory, replacement, 20);
    expect(second.decisions).toMatchObject([{ kind: 'suppress', reason: 'Cooldown' }]);
    expect(firedOn(turn(cool, second.memory, replacement, 599))).toEqual([]);
    expect(firedOn(turn(cool, second.memory, replacement, 601))).toEqual(['b']);
  });

  it('give a pod that never answered the time that it has to start', () => {
    const failing = (fields: object): SubjectView => ({
      subject: 'a',
      name: 'pod-a',
      failure: { class: 'ConnectFailed', kind: 'unreachable', message: 'refused' },
      ...fields,
    });
    const unreachable = { ...rule, trigger: { condition: 'unreachable' } };
    const times: [object, object, number][] = [
      [{}, {}, 300],
      [{}, { startupMs: 30_000 }, 30],
      [{}, { startupMs: 360_000 }, 360],
      [{ startupGraceMs: 60_000 }, { startupMs: 360_000 }, 60],
    ];
    for (const [said, told, seconds] of times) {
      const of = { ...unreachable, ...said };
      const starting = failing({ startedAt: at(0), ...told });
      const held = turn(of, newRuleMemory(), [starting], seconds - 1);
      expect(held.decisions).toMatchObject([{ kind: 'suppress', reason: 'StartingUp' }]);
      expect(firedOn(turn(of, held.memory, [starting], seconds))).toEqual(['a']);
    }
    // Whoever answered before has no such allowance.
    expect(firedOn(turn(unreachable, newRuleMemory(), [failing({ startedAt: at(0), hash: 'h' })], 10))).toEqual(['a']);
  });
});
