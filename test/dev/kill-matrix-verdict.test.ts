import { describe, expect, it } from '@jest/globals';
import { type Cell, cells } from '../../dev/chaos/cells.ts';
import { cellsLeft, faultsIn, type Result, tableOf } from '../../dev/chaos/tally.ts';
import { type ToldOf, verdictOf } from '../../dev/chaos/verdict.ts';

const done = (...keys: string[]) => keys.map((key, at) => ({ at, key }));
const told = (...outcomes: string[]): ToldOf => ({ fired: 1, outcomes, status: 'succeeded' });
const unknown: ToldOf = { fired: 1, outcomes: ['ActionOutcomeUnknown'], status: 'unknown' };
const once = told('ActionSucceeded');
const sentWebhook: Cell = { action: 'webhook', point: 'sent' };
const sentRestart: Cell = { action: 'restart_pod', point: 'sent' };
const sentCommand: Cell = { action: 'exec_command', point: 'sent' };
const decidedCommand: Cell = { action: 'exec_command', point: 'decided' };

describe('what a kill has cost', () => {
  it.each(cells)('nothing, where $action, killed at "$point", was done once and told once', (cell) => {
    expect(verdictOf(cell, done('a'), once)).toEqual({ lost: [], doubled: [] });
  });

  it.each([
    ['a webhook under way is delivered again under its key', sentWebhook, done('a', 'a'), once],
    ['a command under way is unknown, and was run', sentCommand, done('a'), unknown],
    ['a command under way is unknown, and was not run', sentCommand, done(), unknown],
  ])('nothing, where %s', (_, cell, effects, what) => {
    expect(verdictOf(cell, effects, what)).toEqual({ lost: [], doubled: [] });
  });

  it.each<[string, Cell, ReturnType<typeof done>, ToldOf]>([
    ['nothing was done, whatever is told', sentRestart, done(), once],
    ['a command is said to have been run and was not', sentCommand, done(), once],
    ['a command that had not begun is unknown', decidedCommand, done('a'), unknown],
    ['what may be repeated is unknown', sentRestart, done('a'), unknown],
    ['it failed', sentWebhook, done('a'), { ...told('ActionFailed'), status: 'failed' }],
    ['no Event says that it was decided', sentWebhook, done('a'), { ...once, fired: 0 }],
    ['no Event says what came of it', sentWebhook, done('a'), told()],
    ['the status says nothing of it', sentWebhook, done('a'), { ...once, status: undefined }],
    ['the status says something else', sentCommand, done('a'), { ...once, status: 'unknown' }],
  ])('something is lost where %s', (_, cell, effects, what) => {
    const { lost, doubled } = verdictOf(cell, effects, what);
    expect([lost.length > 0, doubled]).toEqual([true, []]);
  });

  it.each<[string, Cell, ReturnType<typeof done>, ToldOf]>([
    ['two pods were restarted', sentRestart, done('a', 'b'), once],
    ['a command was run twice', sentCommand, done('0', '1'), unknown],
    ['a webhook has another key', sentWebhook, done('a', 'b'), once],
    ['a webhook comes three times', sentWebhook, done('a', 'a', 'a'), once],
    ['a webhook is repeated whose outcome is known', { ...sentWebhook, point: 'reported' }, done('a', 'a'), once],
    ['it was decided twice', sentWebhook, done('a'), { ...once, fired: 2 }],
    ['its outcome is told twice', sentWebhook, done('a'), told('ActionSucceeded', 'ActionSucceeded')],
  ])('something is doubled where %s', (_, cell, effects, what) => {
    const { lost, doubled } = verdictOf(cell, effects, what);
    expect([lost, doubled.length > 0]).toEqual([[], true]);
  });
});

const resultOf = (cell: Cell, more: Partial<Result> = {}): Result => ({
  ...cell,
  name: 'an-app',
  lost: [],
  doubled: [],
  isMissed: false,
  ...more,
});

describe('the matrix', () => {
  it('has each action at each point', () => {
    expect(cells).toHaveLength(30);
  });

  it('plays each cell as often as asked, some at once, and again what was not at its point', () => {
    expect(cellsLeft([], 3, 2)).toHaveLength(60);
    const played = cells.map((cell) => resultOf(cell, { isMissed: cell.point === 'sent' }));
    expect(cellsLeft(played, 1, 2).map(({ point }) => point)).toEqual(Array(5).fill('sent'));
    expect(cellsLeft(played, 2, 1)).toHaveLength(30);
  });

  it('is told by a line for each cell, and each fault by one', () => {
    const results = [
      resultOf(sentWebhook, { doneMs: 1_000, toldMs: 2_040 }),
      resultOf(sentWebhook, { toldMs: 1_000, doubled: ['it was done 2 times'] }),
      resultOf(sentWebhook, { isMissed: true, toldMs: 9_000, lost: ['it was not done'] }),
    ];
    const line = tableOf(results)
      .split('\n')
      .find((each) => /^webhook +sent/.test(each));
    expect(line?.split(/ {2,}/)).toEqual(['webhook', 'sent', '2', '1', '1', '1.0 s', '2.0 s']);
    expect(faultsIn(results)).toEqual(['doubled: an-app: it was done 2 times', 'lost: an-app: it was not done']);
  });
});
