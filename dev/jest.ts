import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a Node script with this terminal; resolves with its exit code. */
export const runNode = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> =>
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

/** Runs jest, and ends its output with the line `N passed, N failed`; resolves with an exit code. */
export async function runJest(args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'kco-test-'));
  const report = join(scratch, 'report.json');
  try {
    const flags = ['--experimental-vm-modules', '--no-warnings'];
    const code = await runNode(
      [...flags, 'node_modules/jest/bin/jest.js', '--json', `--outputFile=${report}`, '--maxWorkers=3', ...args],
      { NODE_ENV: 'test', ...env },
    );
    const { passed, failed } = countsIn(report);
    console.log(`${passed} passed, ${failed} failed`);
    return code === 0 && failed > 0 ? 1 : code;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
