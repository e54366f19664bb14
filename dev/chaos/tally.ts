import { alignedTable } from '../aligned-table.ts';
import { type Cell, cells } from './cells.ts';
import type { Verdict } from './verdict.ts';

/** What became of one action whose operator was killed. */
export interface Result extends Cell, Verdict {
  /** The name of its TargetApp. */
  name: string;
  /** It was not at its point when the operator was killed, so it proves nothing about that. */
  isMissed: boolean;
  /** Milliseconds from the kill to its first effect; absent where that was before, or never. */
  doneMs?: number;
  /** Milliseconds from the kill to the Event of its outcome; absent the same. */
  toldMs?: number;
}

const isOf =
  ({ action, point }: Cell) =>
  (result: Result): boolean =>
    result.action === action && result.point === point;

/** The cells that the next kill is for: those that were not at their point often enough yet, each as often as it may be. */
export const cellsLeft = (results: Result[], runs: number, perKill: number): Cell[] =>
  cells.flatMap((cell) => {
    const left = runs - results.filter(isOf(cell)).filter(({ isMissed }) => !isMissed).length;
    return Array<Cell>(Math.min(perKill, left)).fill(cell);
  });

const longest = (times: (number | undefined)[]): string => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? '-' : `${(Math.max(...known) / 1000).toFixed(1)} s`;
};

const header = ['action', 'killed', 'runs', 'lost', 'doubled', 'longest to effect', 'longest to Event'];

/** A line for each cell, under a header. Times are those from the kill. */
export function tableOf(results: Result[]): string {
  const rows = cells.map((cell) => {
    const all = results.filter(isOf(cell));
    const [lost, doubled] = [all.filter((each) => each.lost.length > 0), all.filter((each) => each.doubled.length > 0)];
    const runs = all.filter(({ isMissed }) => !isMissed);
    const times = [longest(runs.map(({ doneMs }) => doneMs)), longest(runs.map(({ toldMs }) => toldMs))];
    return [cell.action, cell.point, runs.length, lost.length, doubled.length, ...times].map(String);
  });
  return alignedTable(header, rows);
}

/** What is wrong with each, one line each. */
export const faultsIn = (results: Result[]): string[] =>
  results.flatMap(({ name, lost, doubled }) => [
    ...lost.map((what) => `lost: ${name}: ${what}`),
    ...doubled.map((what) => `doubled: ${name}: ${what}`),
  ]);
