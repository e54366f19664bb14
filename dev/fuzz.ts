import { runJest } from './jest.ts';

// `npm run fuzz`: the tests of properties with many cases each, which takes a while. An argument is how many cases.

const [cases = '100000'] = process.argv.slice(2);
if (!/^[1-9]\d{0,8}$/.test(cases)) throw new TypeError('usage: npm run fuzz -- [CASES]');
process.exitCode = await runJest(['properties', '--testTimeout=7200000', '--verbose'], { KCO_FUZZ_RUNS: cases });
