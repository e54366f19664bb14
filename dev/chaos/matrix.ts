import type { Rig } from './rig.ts';
import { playRound } from './round.ts';
import { cellsLeft, type Result } from './tally.ts';

/** How often each cell is played. */
export interface MatrixOptions {
  runs: number;
  /** How often one kill plays the same cell. */
  perKill: number;
  /** Told of what each kill came to. */
  onKill?(results: Result[]): void;
}

/** Kills in vain, for each that was to be: a machine that is too busy brings nothing to its point in time. */
const patience = 2;

/** Kills operators until each cell has been at its point so often. Throws when that is in vain. */
export async function playMatrix(rig: Rig, { runs, perKill, onKill }: MatrixOptions): Promise<Result[]> {
  const results: Result[] = [];
  const most = Math.ceil(runs / perKill) * (1 + patience);
  let operator = await rig.startOperator();
  await operator.ready();
  for (let kills = 1; ; kills += 1) {
    const cells = cellsLeft(results, runs, perKill);
    if (cells.length === 0) return results;
    if (kills > most) throw new Error(`${most} kills have met too few of: ${JSON.stringify(cells)}`);
    const round = await playRound(rig, operator, cells, String(kills));
    operator = round.operator;
    results.push(...round.results);
    onKill?.(round.results);
  }
}
