import { playMatrix } from './matrix.ts';
import { startRig } from './rig.ts';
import { faultsIn, type Result, tableOf } from './tally.ts';

// `npm run chaos`: kills the operator at each point in the life of each action, on real servers, and counts what was lost or done
// more often than promised. An argument is how often each; fails when anything was.

/** Actions of one kind that are at the same point at one kill. */
const perKill = 2;

const [argument = '20'] = process.argv.slice(2);
if (!/^[1-9]\d{0,4}$/.test(argument)) throw new TypeError('usage: npm run chaos -- [RUNS]');

const started = performance.now();
const seconds = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
let kills = 0;
const onKill = (results: Result[]): void => {
  kills += 1;
  const missed = results.filter(({ isMissed }) => isMissed).length;
  const again = missed === 0 ? '' : `, ${missed} not at their points, to be repeated`;
  console.log(`kill ${kills} (${seconds()}): ${results.length} actions${again}`);
  for (const fault of faultsIn(results)) console.log(`  ${fault}`);
};

const rig = await startRig();
try {
  const results = await playMatrix(rig, { runs: Number(argument), perKill, onKill });
  const [lost, doubled] = (['lost', 'doubled'] as const).map((what) => results.filter((each) => each[what].length > 0));
  console.log(`\n${tableOf(results)}\n`);
  console.log(
    `${results.length} actions, ${kills} kills, ${seconds()}: ${lost?.length} lost, ${doubled?.length} doubled`,
  );
  process.exitCode = faultsIn(results).length > 0 ? 1 : 0;
} finally {
  await rig.stop();
}
