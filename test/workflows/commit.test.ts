import { globSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { newResourceMemory, type ResourceMemory } from '../../src/domain/resource-memory.ts';
import { condition } from '../../src/domain/status-conditions.ts';
import { type Change, commit } from '../../src/workflows/commit.ts';
import type { Presentation } from '../../src/workflows/resource-kind.ts';
import { newRun, type RunState } from '../../src/workflows/run-state.ts';

const sources = globSync('src/workflows/**/*.ts');
const healsAt = Date.now() + 3_600_000;

/** A kind of which one condition is mended by time alone. */
const kind: Presentation<ResourceMemory> = {
  kind: 'TargetApp',
  phaseOf: ({ suspendedByUpdate }) => (suspendedByUpdate ? 'Suspended' : 'Monitoring'),
  phaseEvents: (_, phase) => [{ type: 'Normal', reason: phase, message: `is ${phase}` }],
  conditions: {
    ActionsHealthy: (_, now) =>
      now < healsAt ? condition('False', 'ActionFailed', 'it failed') : condition('True', 'NoFailures', 'none failed'),
  },
  statusOf: () => ({}),
  heartbeatMs: () => undefined,
  isSuspended: () => false,
  summaryOf: () => ({ phase: 'Monitoring' }),
  detailsOf: () => '',
};

const committed = (): RunState<ResourceMemory> => {
  const run = newRun(kind, { namespace: 'shop', name: 'cart', uid: 'u' }, newResourceMemory());
  commit(run, run.memory);
  return run;
};

/** By how much a change raises what the status is to show. */
function raisedBy(run: RunState<ResourceMemory>, memory: ResourceMemory, change: Change): number {
  const { version } = run;
  commit(run, memory, change);
  return run.version - version;
}

afterEach(() => void jest.useRealTimers());

describe('a change of memory', () => {
  it.each<[string, Change, number]>([
    ['is to stand in the status where it is news', 'news', 1],
    ['is not where a turn found none', 'turn', 0],
    ['is not where it is bookkeeping', 'bookkeeping', 0],
  ])('%s', (_, change, versions) => {
    const run = committed();
    expect(raisedBy(run, { ...run.memory }, change)).toBe(versions);
  });

  it('is to stand there where it makes another phase, and emits its Event', () => {
    const run = committed();
    expect(raisedBy(run, { ...run.memory, suspendedByUpdate: true }, 'turn')).toBe(1);
    expect(run.memory.outbox.map(({ reason }) => reason)).toEqual(['Monitoring', 'Suspended']);
  });

  it('is to stand there where time alone has made a condition another one', () => {
    const run = committed();
    expect(run.memory.conditions).toMatchObject({ ActionsHealthy: { status: 'False' } });
    jest.useFakeTimers({ now: healsAt });
    expect(raisedBy(run, run.memory, 'turn')).toBe(1);
    expect(run.memory.conditions).toMatchObject({ ActionsHealthy: { status: 'True', since: healsAt } });
    expect(raisedBy(run, run.memory, 'turn')).toBe(0);
  });
});

describe('the memory of a run', () => {
  it('is assigned by commit, and by nobody else', () => {
    const run = committed();
    // @ts-expect-error: were it assignable, `npm run check` would fail here.
    run.memory = newResourceMemory();
    const assigning = sources.filter((file) =>
      /\b(assignable|memory): \{ memory: |\.memory = /.test(readFileSync(file, 'utf8')),
    );
    expect(assigning).toEqual(['src/workflows/commit.ts']);
  });
});
