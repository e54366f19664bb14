// Runs the end-to-end suite against the cluster that kubectl reaches; CONTRIBUTING.md says what it takes from the environment.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { provideImages } from '../test/e2e/cluster.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url));
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

const started = performance.now();
await provideImages();
console.log(`images: ${Math.round((performance.now() - started) / 1000)} s`);

const args = [...flags, jest, '--config', 'test/e2e/jest.config.mjs', ...process.argv.slice(2)];
const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
