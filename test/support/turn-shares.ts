import { setTimeout as delay } from 'node:timers/promises';
import type { OperatorUnderTest } from './operator-under-test.ts';
import { type Patience, until } from './until.ts';

/** Longer than a turn is lent to whoever does not own its TargetApp. */
const settledMs = 4_500;
const everyMs = 200;

const heldBy = async (one: OperatorUnderTest): Promise<number> => Number((await one.ask('/stats')).body['turnsHeld']);

/** Waits until these replicas hold so many turns among them, the same ones for as long as one is lent at most; how many each. */
export async function settledShares(
  replicas: readonly OperatorUnderTest[],
  turns: number,
  patience: Pick<Patience, 'timeoutMs'> = {},
): Promise<number[]> {
  let before: { counts: number[]; at: number } = { counts: [], at: 0 };
  const held = () => Promise.all(replicas.map(heldBy));
  const settled = async (): Promise<number[] | false> => {
    await delay(everyMs);
    const counts = await held();
    if (String(counts) !== String(before.counts)) before = { counts, at: Date.now() };
    const sum = counts.reduce((total, count) => total + count, 0);
    return sum === turns && Date.now() - before.at > settledMs && counts;
  };
  return until(`${replicas.length} replicas hold ${turns} turns among them`, settled, { ...patience, instead: held });
}
