import { describe, expect, it } from '@jest/globals';
import type { CompiledAction, CompiledRule } from '../../../src/domain/target-app/compiled-spec.ts';
import {
  type Answer,
  aPlan,
  aRule,
  fails,
  healthy,
  type Poll,
  play,
  says,
  told,
  unhealthy,
} from '../../support/domain.ts';

const step: CompiledAction = {
  action: 'webhook',
  content: 'step',
  timeoutMs: 45_000,
  retries: 3,
  repeatable: true,
  onPods: false,
  receiver: 'r',
  deliverForMs: 86_400_000,
};
const rule = (replaced: Partial<CompiledRule> = {}): CompiledRule =>
  aRule({ onPods: false, onRecovery: [step], ...replaced });
const stories = (of: CompiledRule, polls: Poll[]) => play(aPlan({ rules: [of] }), polls);
const at = (second: number, pods: Record<string, Answer>, matched?: number): Poll => ({
  at: second,
  pods,
  ...(matched !== undefined && { matched }),
});

describe('the end of an episode', () => {
  it('that fired is told once, with what was and what is', () => {
    const played = stories(rule(), [
      at(0, { a: healthy }),
      at(30, { a: unhealthy }),
      at(60, { a: healthy }),
      at(90, { a: healthy }),
    ]);
    expect(told(played)).toEqual(['30 s: restart on a fires', '60 s: restart on a recovers']);
    const [decision] = played[2]?.decisions ?? [];
    expect(decision).toMatchObject({
      requests: [
        {
          id: expect.stringMatching(/^app-uid:1:restart:uid-a:\w+:\w+:r0$/),
          action: 'webhook',
          content: 'step',
          recovery: 0,
          pods: [{ name: 'a' }],
          oldValue: 'unhealthy',
          newValue: 'healthy',
        },
      ],
    });
  });

  it.each<[string, Partial<CompiledRule>, Answer[]]>([
    ['that never fired', { forMs: 60_000 }, [healthy, unhealthy, healthy]],
    ['that was a change', { trigger: { field: 'health', condition: 'changed' } }, [healthy, unhealthy, unhealthy]],
    ['that may not be over, because nobody answers', {}, [healthy, unhealthy, fails()]],
  ])('%s is not told', (_, replaced, answers) => {
    const played = stories(
      rule(replaced),
      answers.map((answer, i) => at(i * 30, { a: answer })),
    );
    expect(told(played).filter((line) => line.endsWith('recovers'))).toEqual([]);
  });

  it('of a dry run is a dry run', () => {
    const played = stories(rule({ dryRun: true }), [at(0, { a: unhealthy }), at(30, { a: healthy })]);
    expect(played[1]?.decisions).toMatchObject([{ kind: 'recover', requests: [{ dryRun: true }] }]);
  });
});

describe('an incident whose pod was replaced', () => {
  it('is over when the replacement is well, and not before', () => {
    const played = stories(rule(), [
      at(0, { a: unhealthy, z: healthy }),
      at(10, { z: healthy }, 2),
      at(20, { z: healthy, b: fails() }),
      at(30, { z: healthy, b: healthy }),
      at(40, { z: healthy, b: healthy }),
    ]);
    expect(told(played)).toEqual(['0 s: restart on a fires', '30 s: restart on a recovers']);
  });

  it('goes on in a replacement that is no better, and is told once when that is well', () => {
    const played = stories(rule({ cooldownMs: 600_000 }), [
      at(0, { a: unhealthy }),
      at(10, { b: unhealthy }),
      at(20, { b: unhealthy }),
      at(30, { b: healthy }),
      at(40, { b: healthy }),
    ]);
    expect(told(played)).toEqual([
      '0 s: restart on a fires',
      '10 s: restart on b held back: Cooldown',
      '30 s: restart on a recovers',
    ]);
  });

  it('needs a replacement of its own', () => {
    const played = stories(rule(), [
      at(0, { a: unhealthy, b: unhealthy }),
      at(10, { c: healthy }, 2),
      at(20, { c: healthy }, 2),
      at(30, { c: healthy, d: healthy }),
    ]);
    expect(told(played)).toEqual([
      '0 s: restart on a fires',
      '0 s: restart on b fires',
      '10 s: restart on a recovers',
      '30 s: restart on b recovers',
    ]);
  });

  it('is over after a while when nothing replaces it and all others are well', () => {
    const played = stories(rule(), [
      at(0, { a: unhealthy, z: healthy }),
      at(30, { z: healthy }),
      at(60, { z: healthy }),
      at(120, { z: healthy }),
    ]);
    expect(told(played)).toEqual(['0 s: restart on a fires', '120 s: restart on a recovers']);
  });

  it('is open for as long as there is no pod at all', () => {
    const played = stories(rule(), [at(0, { a: unhealthy }), at(300, {}, 0), at(600, {}, 0), at(630, { b: healthy })]);
    expect(told(played)).toEqual(['0 s: restart on a fires', '630 s: restart on a recovers']);
  });

  it('does not end with a pod that was there before', () => {
    const played = stories(rule(), [
      at(0, { a: healthy, z: says({ health: 'healthy' }) }),
      at(30, { a: unhealthy, z: healthy }),
      at(40, { z: healthy }, 2),
    ]);
    expect(told(played)).toEqual(['30 s: restart on a fires']);
  });
});
