import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const root = join(import.meta.dirname, '..');

/** Operators, supervisors and demos are started by the dozen, each of the same hundreds of modules. */
const compileCache = join(root, '.cache', 'compiled');

/** Runs a Node script with this terminal; resolves with its exit code. */
export async function runNode(args: string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  // What is told to end takes the time that it needs: it has servers to end in turn.
  const options = { cwd: root, stdio: 'inherit', env, reject: false, forceKillAfterDelay: false } as const;
  const child = execa(process.execPath, args, options);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const { exitCode = 1 } = await child;
  return exitCode;
}

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
      { NODE_ENV: 'test', NODE_COMPILE_CACHE: compileCache, ...env },
    );
    const { passed, failed } = countsIn(report);
    console.log(`${passed} passed, ${failed} failed`);
    return code === 0 && failed > 0 ? 1 : code;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
