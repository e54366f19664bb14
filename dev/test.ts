import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// `npm test`: gets the servers' binaries, runs jest with coverage, and ends with the line `N passed, N failed`.
// Arguments are handed to jest; with any, only those tests run and coverage is not asked for.

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a Node script with this terminal; resolves with its exit code. */
const run = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    child.on('close', (code) => resolve(code ?? 1));
  });

/** The counts of jest's own report; a suite that could not even be loaded is one failure. */
function countsIn(report: string): { passed: number; failed: number } {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites + numPendingTests };
}

const chosen = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'kco-test-'));
const report = join(scratch, 'report.json');
try {
  const gotTools = await run(['dev/servers/cli.ts', '--build-only']);
  if (gotTools !== 0) process.exit(gotTools);
  const coverage =
    chosen.length > 0 ? [] : ['--coverage', '--coverageReporters=text-summary', '--coverageReporters=lcov'];
  const code = await run(
    [
      '--experimental-vm-modules',
      '--no-warnings',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${report}`,
      // Most tests wait for servers rather than compute; two at a time use two cores.
      '--maxWorkers=2',
      ...coverage,
      ...chosen,
    ],
    { NODE_ENV: 'test' },
  );
  const { passed, failed } = countsIn(report);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = code === 0 && failed > 0 ? 1 : code;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
