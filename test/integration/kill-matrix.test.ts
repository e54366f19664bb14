import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { playMatrix } from '../../dev/chaos/matrix.ts';
import { type Rig, startRig } from '../../dev/chaos/rig.ts';
import { faultsIn } from '../../dev/chaos/tally.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
}, 900_000);

afterAll(() => rig?.stop());

it('an operator killed at any point of any action: nothing is lost, and nothing done or told more often than promised', async () => {
  const results = await playMatrix(rig, { runs: 1, perKill: 1 });
  expect(faultsIn(results)).toEqual([]);
});
