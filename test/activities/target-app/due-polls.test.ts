import { expect, it } from '@jest/globals';
import { DuePolls } from '../../../src/activities/target-app/due-polls.ts';

it('counts the polls of this replica that have been due for more than half a minute, and says for how long the longest has', () => {
  const due = new DuePolls();
  due.expect('late', 60_000);
  due.expect('just-late', 100_000);
  due.expect('to-come', 200_000);
  due.expect('theirs', 10_000);
  due.expect('stopped', 10_000);
  due.forget('stopped');
  const isMine = (uid: string) => uid !== 'theirs';
  expect(due.overdue(isMine, 130_000)).toEqual({ count: 1, longestSeconds: 70 });
  due.expect('late', 160_000);
  expect(due.overdue(isMine, 130_000)).toEqual({ count: 0, longestSeconds: 30 });
});

it('says zero while nothing is due', () => {
  expect(new DuePolls().overdue(() => true, 0)).toEqual({ count: 0, longestSeconds: 0 });
});

it('knows when a poll is due, and of none that nobody expects', () => {
  const due = new DuePolls();
  due.expect('a', 1_000);
  expect([due.at('a'), due.at('b')]).toEqual([1_000, Number.POSITIVE_INFINITY]);
  due.forget('a');
  expect(due.at('a')).toBe(Number.POSITIVE_INFINITY);
});
