import { runJest, runNode } from './jest.ts';

// `npm test`: gets the servers' binaries, runs jest with coverage, and ends with the line `N passed, N failed`.
// Arguments are handed to jest; with any, only those tests run and coverage is not asked for.

const chosen = process.argv.slice(2);
const coverage =
  chosen.length > 0 ? [] : ['--coverage', '--coverageReporters=text-summary', '--coverageReporters=lcov'];
const gotTools = await runNode(['dev/servers/cli.ts', '--build-only']);
process.exitCode = gotTools === 0 ? await runJest([...coverage, ...chosen]) : gotTools;
