import { describe, expect, it } from '@jest/globals';
import type { CompiledAction } from '../../../src/domain/target-app/compiled-spec.ts';
import { withPending } from '../../../src/domain/target-app/enqueue.ts';
import { fitted, jsonBytes } from '../../../src/domain/target-app/fit-memory.ts';
import { blockerOf, lanesOf } from '../../../src/domain/target-app/lanes.ts';
import { loadOf } from '../../../src/domain/target-app/load.ts';
import { type Memory, newMemory, type PendingAction } from '../../../src/domain/target-app/memory.ts';
import { refused } from '../../../src/domain/target-app/outcomes.ts';
import { settled } from '../../../src/domain/target-app/settle.ts';
import { redelivered, withUndelivered } from '../../../src/domain/target-app/undelivered.ts';
import { givenUp, waitingOn } from '../../../src/domain/target-app/waiting.ts';
import { withdrawal } from '../../../src/domain/target-app/withdrawal.ts';
import { aPlan, aRule, at } from '../../support/domain.ts';

const restart: CompiledAction = {
  action: 'restart_pod',
  content: 'c',
  timeoutMs: 300_000,
  retries: 3,
  repeatable: true,
  onPods: true,
  paced: true,
};
const webhook: CompiledAction = {
  ...restart,
  action: 'webhook',
  onPods: false,
  receiver: 'r1',
  deliverForMs: 86_400_000,
};
const { paced: _, ...plain } = webhook;

const action = (id: string, plan: CompiledAction = plain, replaced: Partial<PendingAction> = {}): PendingAction => {
  const pods = [{ uid: `uid-${id}`, name: id }];
  return {
    request: {
      id,
      namespace: 'shop',
      name: 'cart',
      uid: 'u',
      generation: 1,
      rule: 'restart',
      content: 'c',
      action: plan.action,
      pods,
      at: at(0),
      dryRun: false,
    },
    key: 'restart',
    subject: `uid-${id}`,
    plan,
    summary: `restart: health equals unhealthy on pod ${id}, so ${plan.action}`,
    lanes: lanesOf(plan, { pods }),
    undo: { key: 'restart', subject: `uid-${id}`, since: at(0), at: at(0) },
    waits: 0,
    notBefore: at(0),
    giveUpAt: at(86_400),
    ...replaced,
  };
};
const wait = { status: 'waiting', reason: 'HTTPStatus', message: 'answered 503', afterMs: 0, begun: true } as const;
const memoryWith = (pending: PendingAction[]): Memory => ({
  ...newMemory(),
  plan: aPlan({ rules: [aRule()] }),
  pending,
});

describe('a webhook that is not taken', () => {
  it('is sent again after 1 s, 2 s, 4 s … 15 min, and not longer than it may be', () => {
    let current: PendingAction | undefined = action('a');
    let now = at(0);
    const pauses: number[] = [];
    while (current !== undefined && pauses.length < 200) {
      const next: PendingAction | undefined = waitingOn(current, wait, now);
      if (next !== undefined) pauses.push((next.notBefore - now) / 1000);
      now = next?.notBefore ?? now;
      current = next;
    }
    expect(pauses.slice(0, 12)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    expect(now).toBe(at(86_400));
  });

  it.each([
    ['as its receiver asks', 60_000, 60],
    ['after 15 min at the latest, whatever its receiver asks', 86_400_000, 900],
  ])('is sent again %s', (_of, afterMs, seconds) => {
    expect(waitingOn(action('a'), { ...wait, afterMs }, at(0))?.notBefore).toBe(at(seconds));
  });

  it('is kept when it was given up, and sent again under its id when somebody says so', () => {
    const lost = action('a', plain, { waits: 3, begun: true });
    const outcome = givenUp(lost, wait);
    expect(outcome).toMatchObject({ status: 'failed', reason: 'Undelivered' });
    expect(outcome.message).toBe('not delivered within 24 h, after 4 attempts; the last one: answered 503');
    const { memory } = settled(memoryWith([lost]), lost, outcome, at(86_400));
    expect(memory.pending).toEqual([]);
    expect(memory.undelivered).toMatchObject([{ request: { id: 'a' }, calls: 4 }]);
    const again = redelivered(memory, undefined, at(90_000));
    expect(again.ids).toEqual(['a']);
    expect(again.memory.undelivered).toEqual([]);
    expect(again.memory.pending).toMatchObject([
      { request: { id: 'a', begun: true }, begun: true, notBefore: at(90_000), giveUpAt: at(90_000 + 86_400) },
    ]);
    expect(redelivered(memory, 'b', at(90_000)).ids).toEqual([]);
  });

  it('is kept for the last twenty only', () => {
    const outcome = givenUp(action('a'), wait);
    const many = Array.from({ length: 25 }, (_of, i) => action(`a${i}`));
    const memory = many.reduce((of, each) => withUndelivered(of, each, outcome, at(1)), memoryWith([]));
    expect(memory.undelivered.map(({ request: { id } }) => id)).toEqual(many.slice(5).map(({ request: { id } }) => id));
  });
});

describe('an action that waits', () => {
  it('is undone when it was given up and had not begun, and has failed when it had', () => {
    expect(givenUp(action('a', restart), { ...wait, begun: undefined as never })).toMatchObject({ undone: true });
    expect(givenUp(action('a', restart, { begun: true }), wait)).toMatchObject({
      status: 'failed',
      reason: 'HTTPStatus',
    });
  });

  it('is given its time anew whenever it has gone on', () => {
    const late = action('a', restart, { giveUpAt: at(10), waits: 7 });
    expect(waitingOn(late, { ...wait, afterMs: 20_000 }, at(9))).toBeUndefined();
    const next = waitingOn(late, { ...wait, afterMs: 2_000, progress: ['p1'] }, at(9));
    expect(next).toMatchObject({ waits: 1, notBefore: at(11), giveUpAt: at(9 + 1_200), request: { progress: ['p1'] } });
    expect(
      waitingOn(
        { ...late, request: { ...late.request, progress: ['p1'] } },
        { ...wait, afterMs: 20_000, progress: ['p1'] },
        at(9),
      ),
    ).toBeUndefined();
  });

  it.each([
    ['a restart of a pod that is well again', restart, {}, true],
    ['a message about a pod that is well again', plain, {}, false],
    ['what has begun', restart, { begun: true as const }, false],
    ['what is done at the end of an episode', restart, { undo: undefined as never }, false],
  ])('%s has lost its point: %#', (_of, plan, replaced, isLost) => {
    const waiting = action('a', plan, replaced);
    const rule = { episodes: {}, firings: [] };
    const ended = { ...memoryWith([waiting]), rules: { restart: rule } };
    expect(withdrawal(ended, waiting, at(1))?.reason).toBe(isLost ? 'Recovered' : undefined);
    const open = { ...rule, episodes: { 'uid-a': { since: at(0), firedAt: at(0) } } };
    expect(withdrawal({ ...ended, rules: { restart: open } }, waiting, at(1))).toBeUndefined();
  });
});

describe('an action at the end of an incident, which nothing would decide again,', () => {
  const { undo: _undo, ...closing } = action('a', restart);
  const refusedBy = (reason: string) => refused(reason, 'nothing was done', { undone: true });

  it('is kept while its TargetApp is suspended, and goes on afterwards', () => {
    const memory = { ...memoryWith([closing]), suspendedByUpdate: true };
    expect(withdrawal(memory, closing, at(1))).toBeUndefined();
    const open = { episodes: { 'uid-b': { since: at(0), firedAt: at(0) } }, firings: [] };
    const withEpisode = { ...memory, rules: { restart: open } };
    expect(withdrawal(withEpisode, action('b', restart), at(1))?.reason).toBe('Suspended');
  });

  it.each(['DisruptionBudget', 'NotSelected', 'Superseded'])('is told when it was not done (%s)', (reason) => {
    const { memory, isOver } = settled(memoryWith([closing]), closing, refusedBy(reason), at(1));
    expect(isOver).toBe(true);
    expect(memory.pending).toEqual([]);
    expect(memory.rules['restart']?.lastOutcome).toMatchObject({ status: 'refused', reason, actionId: 'a' });
    expect(memory.outbox).toMatchObject([{ type: 'Warning', reason: 'ActionRefused' }]);
  });
});

describe('the order of actions', () => {
  const none = new Set<string>();
  const blocked = (pending: PendingAction[], running = none) =>
    pending.map((each) => blockerOf(pending, each, running, at(0))?.request.id);

  it('is kept for what goes to one receiver, and free between receivers', () => {
    const other = action('c', { ...plain, receiver: 'r2' });
    expect(blocked([action('a', plain, { notBefore: at(900) }), action('b'), other])).toEqual([
      undefined,
      'a',
      undefined,
    ]);
  });

  it('is kept for restarts, but one for which it is not time yet lets the others pass', () => {
    const pending = (replaced: Partial<PendingAction>) => [action('a', restart, replaced), action('b', restart)];
    expect(blocked(pending({}))).toEqual([undefined, 'a']);
    expect(blocked(pending({ notBefore: at(30) }))).toEqual([undefined, undefined]);
    expect(blocked(pending({ notBefore: at(30), begun: true }))).toEqual([undefined, 'a']);
    expect(blocked(pending({ notBefore: at(30) }), new Set(['a']))).toEqual([undefined, 'a']);
  });

  it('is kept on one pod, whatever is done there', () => {
    const { paced: _of, ...exec } = restart;
    const [first, second] = [action('a', exec), action('b', restart)];
    const onOnePod = [first, { ...second, lanes: [...second.lanes, ...first.lanes] }];
    expect(blocked(onOnePod)).toEqual([undefined, 'a']);
  });
});

describe('a workflow', () => {
  it('takes on no more than it can hand on, and messages do not keep their rule from firing', () => {
    const many = Array.from({ length: 200 }, (_of, i) => action(`a${i}`));
    expect(loadOf(memoryWith(many)).room).toBe(0);
    expect(loadOf(memoryWith([action('a'), action('b', restart)]))).toEqual({
      room: 198,
      waiting: new Set(['restart/uid-b']),
    });
  });

  it('cuts the values of actions, and never hands on more than Temporal takes', () => {
    const long = 'ä'.repeat(4_000);
    const big = (i: number) => {
      const one = action(`a${i}`);
      return { ...one, request: { ...one.request, oldValue: long, newValue: long } };
    };
    const memory = Array.from({ length: 200 }, (_of, i) => big(i)).reduce(withPending, memoryWith([]));
    expect(JSON.stringify(memory.pending).length).toBeLessThan(1_000_000);
    const subjects = Object.fromEntries(
      Array.from({ length: 60 }, (_of, i) => [`u${i}`, { name: `p${i}`, hash: 'h', state: 'x'.repeat(30_000) }]),
    );
    const handed = fitted({ ...memory, subjects });
    expect(jsonBytes(handed)).toBeLessThan(1_500_000);
    expect(handed.pending.map(({ request: { id } }) => id)).toEqual(memory.pending.map(({ request: { id } }) => id));
    expect(Object.keys(handed.subjects)).toHaveLength(60);
  });

  it('hands a memory on as it is where it is not too large', () => {
    const memory = memoryWith([action('a')]);
    expect(fitted(memory)).toBe(memory);
    expect(jsonBytes({ a: 'ä€😀' })).toBe(Buffer.byteLength(JSON.stringify({ a: 'ä€😀' })));
  });
});
