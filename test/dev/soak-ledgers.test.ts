import { describe, expect, it } from '@jest/globals';
import { EditLedger } from '../../dev/soak/edit-ledger.ts';
import { FlipLedger, wordOf } from '../../dev/soak/flip-ledger.ts';
import { Growth } from '../../dev/soak/growth.ts';
import { Outages } from '../../dev/soak/outages.ts';
import { PollLedger } from '../../dev/soak/poll-ledger.ts';
import { Room } from '../../dev/soak/room.ts';
import { isWord, likeness } from '../../src/domain/likeness.ts';

const promises = { intervalMs: 1_000, handOverMs: 10_000, recoveryMs: 30_000, lostAfterMs: 120_000 };

/** Something was away from the 100th to the 120th second. */
const withOutage = (): Outages => {
  const outages = new Outages();
  outages.begin(100_000);
  outages.end(120_000);
  return outages;
};

describe('the ledger of polls', () => {
  it.each([
    ['an interval and a hand-over', 10_000, 21_000, 0],
    ['more than that', 10_000, 21_001, 1],
    ['an outage, and what follows it', 99_000, 150_000, 0],
    ['more than that', 99_000, 150_001, 1],
    ['what follows an outage', 130_000, 161_000, 0],
    ['more than that', 130_000, 161_001, 1],
  ])('a gap of %s: from %d to %d, %d missed', (_, from, to, missed) => {
    const ledger = new PollLedger(promises, withOutage());
    ledger.expect('a', from);
    ledger.polled('a', to);
    expect(ledger.tally(to)).toMatchObject({ polls: 1, missed, longestMs: to - from });
  });

  it('does not count a gap in which the machine had no room', () => {
    const room = new Room();
    const ledger = new PollLedger(promises, new Outages(), room.crowds);
    for (const [slower, at] of [
      [2, 0],
      [9, 10_000],
      [7, 20_000],
      [2, 30_000],
      [1, 40_000],
    ] as const)
      room.note(slower, at);
    expect(room.tally(99_000)).toEqual({ crowdedMs: 20_000, slowest: 9 });
    for (const address of ['a', 'b', 'c']) ledger.expect(address, 5_000);
    ledger.polled('a', 56_000);
    expect(ledger.tally(56_000)).toMatchObject({ missed: 0, longestCalmMs: 0 });
    ledger.polled('b', 56_001);
    expect(ledger.tally(56_001)).toMatchObject({ missed: 2 });
  });

  it('counts a gap that is still open, once', () => {
    const ledger = new PollLedger(promises, new Outages());
    ledger.expect('a', 0);
    expect(ledger.tally(20_000)).toMatchObject({ polls: 0, missed: 1 });
    ledger.dismiss('a', 20_000);
    expect(ledger.tally(90_000)).toMatchObject({ missed: 1, longestCalmMs: 20_000 });
  });

  it('does not count polls of an address that nobody is to poll', () => {
    const ledger = new PollLedger(promises, new Outages());
    ledger.polled('a', 0);
    expect(ledger.tally(99_000)).toMatchObject({ polls: 0, missed: 0 });
  });
});

describe('the ledger of flips', () => {
  it('a flip that was told once and called under one id is neither missed nor doubled', () => {
    const ledger = new FlipLedger(promises, new Outages());
    const flip = ledger.make(true, 0);
    expect(ledger.mayGo(flip, 1_000)).toBe(false);
    ledger.told(flip.word, 'event', 1, 40);
    ledger.called(flip.word, 'id');
    ledger.called(flip.word, 'id');
    expect(ledger.mayGo(flip, 1_000)).toBe(true);
    expect(ledger.tally(99_000)).toEqual({
      ...{ flips: 1, told: 1, late: 0, missed: 0, doubled: 0 },
      calls: { due: 1, made: 1, lost: 0, doubled: 0 },
      seenWithinMs: { p50: 40, p99: 40 },
    });
  });

  it('one that nobody tells is missed when it has stood for two minutes, outages apart', () => {
    const ledger = new FlipLedger(promises, withOutage());
    const flip = ledger.make(true, 95_000);
    expect(ledger.mayGo(flip, 240_000)).toBe(false);
    expect(ledger.tally(240_000)).toMatchObject({ missed: 0, calls: { lost: 0 } });
    expect(ledger.mayGo(flip, 240_001)).toBe(true);
    expect(ledger.tally(240_001)).toMatchObject({ missed: 1, calls: { due: 1, lost: 1 } });
    ledger.drop(flip);
    expect(ledger.tally(240_001)).toMatchObject({ missed: 0, calls: { due: 0, lost: 0 } });
  });

  it.each([
    ['an interval and a hand-over', 0, 11_000, 0],
    ['more than that', 0, 11_001, 1],
    ['an outage', 95_000, 121_000, 0],
  ])('one that was told after %s, from %d to %d, is late %d times, and not missed', (_, at, seenAt, late) => {
    const ledger = new FlipLedger(promises, withOutage());
    ledger.told(ledger.make(false, at).word, 'event', 1, seenAt);
    expect(ledger.tally(999_000)).toMatchObject({ late, missed: 0 });
  });

  it('one is late while it is not told, and not any more when its app is deleted', () => {
    const ledger = new FlipLedger(promises, new Outages());
    const flip = ledger.make(false, 0);
    expect(ledger.tally(20_000)).toMatchObject({ late: 1, missed: 0 });
    ledger.drop(flip);
    expect(ledger.tally(20_000)).toMatchObject({ late: 0, missed: 0 });
  });

  it.each<[string, (ledger: FlipLedger, word: string) => void, number, number]>([
    ['by a second Event', (ledger, word) => ledger.told(word, 'another', 1, 50), 1, 0],
    ['by a count', (ledger, word) => ledger.told(word, 'event', 2, 50), 1, 0],
    ['by a call that was not due', (ledger, word) => ledger.called(word, 'id'), 0, 1],
  ])('one can be doubled %s', (_, again, doubled, calls) => {
    const ledger = new FlipLedger(promises, new Outages());
    const { word } = ledger.make(false, 0);
    ledger.told(word, 'event', 1, 40);
    again(ledger, word);
    expect(ledger.tally(99_000)).toMatchObject({ doubled, calls: { doubled: calls } });
  });

  it('every flip has a word of its own, which no Event takes for a number or an id', () => {
    const words = Array.from({ length: 2_000 }, (_, n) => wordOf(n * 7_919));
    expect(new Set(words.map(likeness)).size).toBe(words.length);
    expect(words.every(isWord)).toBe(true);
  });
});

describe('the ledger of edits', () => {
  it('takes a later generation for all before it, and forgets what was deleted', () => {
    const ledger = new EditLedger();
    ledger.made('a', 2, 0);
    ledger.made('a', 3, 100);
    ledger.made('b', 2, 0);
    ledger.observed('a', 3, 400);
    ledger.drop('b');
    expect(ledger.tally()).toEqual({ edits: 2, taken: 2, takenWithinMs: { p50: 400, longest: 400 } });
  });
});

describe('growth', () => {
  const minute = 60_000;

  it('is that of each life after its warm-up, whatever it began with', () => {
    const growth = new Growth(minute);
    for (const [life, base] of [
      [1, 100],
      [2, 300],
    ] as const) {
      growth.add(life, 0, (life - 1) * 60 * minute);
      for (let n = 1; n < 10; n++) growth.add(life, base + n, ((life - 1) * 60 + n) * minute);
    }
    expect(growth.perHour).toBeCloseTo(60);
    expect(growth).toMatchObject({ first: 0, last: 309, most: 309 });
  });

  it('is not said of what was too short', () => {
    const growth = new Growth(minute);
    growth.add(1, 100, 0);
    growth.add(1, 200, 1.5 * minute);
    expect(growth.perHour).toBeUndefined();
  });
});
